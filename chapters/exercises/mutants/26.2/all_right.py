# expect: two of four by hand
# means: This is the chance that all k are right.
import math


def pass_at_k(n, c, k):
    if k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return math.comb(c, k) / math.comb(n, k)
