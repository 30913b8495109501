# expect: one attempt is the share of right ones
# means: The choices are made from the c right attempts, and not from the n - c wrong ones.
import math


def pass_at_k(n, c, k):
    if k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return 1 - math.comb(c, k) / math.comb(n, k)
