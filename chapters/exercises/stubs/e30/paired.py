"""30.3  The paired bootstrap.

Two systems have a score for each of the same N examples, `first` and `second`, (N,) each. Is the difference of their
means, d, more than luck? `draws` (B, N) has B draws of N examples with replacement, as numbers of examples. Both
systems are scored on the same draw, which gives a difference d* for each. Were there no difference, chance would go as
far as d* - d does:

    p = (1 + draws with |d* - d| >= |d|) / (1 + B)

`paired_p(first, second, draws)` returns p, two-sided: a difference as large in the other direction counts, too.
"""

import numpy as np
from tinygrad_llm.course import Todo


def paired_p(first, second, draws):
    raise Todo("a number from 0 to 1")
