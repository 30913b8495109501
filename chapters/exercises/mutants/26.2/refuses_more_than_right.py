# expect: fewer wrong than picked
# means: Refused where k is larger than the number of wrong attempts: then a right one is certain.
import math


def pass_at_k(n, c, k):
    if k > n - c > 0 or k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return 1 - math.comb(n - c, k) / math.comb(n, k)
