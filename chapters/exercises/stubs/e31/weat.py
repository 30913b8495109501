"""31.4  WEAT: are some names nearer to pleasant words?

x (N, D) and y (M, D) are the vectors of the names of two groups, a (P, D) and b (Q, D) those of two lists of words. Of
each name one asks how much nearer it is to the first list:

    s(w) = mean over a of cos(w, a) - mean over b of cos(w, b)

The effect size is how far the groups are apart in that, in standard deviations of all names together, those of a sample
(they divide by N + M - 1):

    d = (mean of s over x - mean of s over y) / std of s over x and y

And p: of all ways to choose N of the N + M names as the first group, the share in which the difference of the means is
as large as it is here, or larger. Ours is one of the ways. Within 1e-12, as rounding has it, is as large.

`weat(x, y, a, b)` returns (d, p), two floats.
"""

from itertools import combinations

import numpy as np
from tinygrad_llm.course import Todo


def weat(x, y, a, b):
    raise Todo("the effect size and the one-sided p-value")
