# expect: one attempt is the share of right ones
# means: This is the chance that all k are wrong: take it from 1.
import math


def pass_at_k(n, c, k):
    if k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return math.comb(n - c, k) / math.comb(n, k)
