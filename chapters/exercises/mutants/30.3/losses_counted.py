# expect: the same system twice is no difference
# means: It counts the draws in which the first system is worse: how sure one is of the sign, and one-sided.
def paired_p(first, second, draws):
    each = first - second
    drawn = each[draws].mean(1)
    return float((1 + (drawn < 0).sum()) / (1 + len(draws)))
