# expect: one attempt is the share of right ones
# means: A share of k is compared with c: which k are picked is left to chance, and all choices count.
def pass_at_k(n, c, k):
    if k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return float(c >= k)
