# expect: more than there are is refused
# means: Nothing is refused where k is larger than n.
import math


def pass_at_k(n, c, k):
    if k > n:
        return 1.0
    return 1 - math.comb(n - c, k) / math.comb(n, k)
