# expect: as many as there are is not refused
# means: k may be as large as n: then all attempts are picked.
import math


def pass_at_k(n, c, k):
    if k >= n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return 1 - math.comb(n - c, k) / math.comb(n, k)
