# expect: two of four by hand
# means: This is 1 - (1 - c / n)^k, as if every attempt were put back before the next is picked.
def pass_at_k(n, c, k):
    if k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return 1 - (1 - c / n) ** k
