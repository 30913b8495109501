# expect: what is hard for both falls out
# means: The differences of a draw are summed, while d is a mean.
def paired_p(first, second, draws):
    each = first - second
    d = each.mean()
    return float((1 + (abs(each[draws].sum(1) - d) >= abs(d)).sum()) / (1 + len(draws)))
