# expect: the same system twice is no difference
# means: Divided by the number of examples, N, and not by the number of draws, B.
def paired_p(first, second, draws):
    each = first - second
    d = each.mean()
    return float((1 + (abs(each[draws].mean(1) - d) >= abs(d)).sum()) / (1 + len(each)))
