# expect: all right
# means: Products of ratios that end in 0 / 0 where fewer than k are wrong: there the answer is 1.
import math


def pass_at_k(n, c, k):
    if k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return 1 - math.factorial(n - c) * math.factorial(n - k) / math.factorial(n) / math.factorial(n - c - k)
