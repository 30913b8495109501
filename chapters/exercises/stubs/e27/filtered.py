"""27.2  Filter, then rank.

Of n answers to each request stand side by side what they are worth, and whether a judge allows them:

    rewards  (B,) numbers, B a multiple of n     allowed  (B,) booleans

`best_allowed(rewards, allowed, n)` returns for each request, (B / n,), the row in `rewards` of the best answer that is
allowed; of equally good ones the first; -1 where none is allowed. All may be worth less than nothing.
"""

import numpy as np
from tinygrad_llm.course import Todo


def best_allowed(rewards, allowed, n):
    raise Todo("(B / n,) whole numbers")
