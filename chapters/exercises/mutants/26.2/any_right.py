# expect: one attempt is the share of right ones
# means: 1 where any of the n is right: that is pass@n, not pass@k.
def pass_at_k(n, c, k):
    if k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return float(c > 0)
