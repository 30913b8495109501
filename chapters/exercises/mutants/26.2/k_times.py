# expect: the share of all choices
# means: k times the share of right ones counts a choice with two right attempts twice.
def pass_at_k(n, c, k):
    if k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return min(1.0, k * c / n)
