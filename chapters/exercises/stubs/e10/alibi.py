"""10.3  ALiBi.

Numbers to add to the scores of attention before softmax:

    bias[h, t, s] = - slope_h · |distance of query t and key s|          (H, T, S)

The slopes of H heads, H a power of two, are 2^(-8/H), 2^(-16/H), … 2^(-8): each the one before times the first. Here
H is always such. There may be more keys than queries, when earlier keys were kept: then the LAST query stands at the
last key. Source: Press, Smith and Lewis, "Train Short, Test Long", 2022.
"""

import numpy as np
from tinygrad_llm.course import Todo


def alibi_bias(n_head, time, source):
    raise Todo("(n_head, time, source)")
