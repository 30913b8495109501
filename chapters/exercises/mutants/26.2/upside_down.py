# expect: one attempt is the share of right ones
# means: The fraction is upside down: all choices over those that are all wrong.
import math


def pass_at_k(n, c, k):
    if k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return 1 - math.comb(n, k) / math.comb(n - c, k)
