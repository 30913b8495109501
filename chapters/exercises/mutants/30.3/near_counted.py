# expect: the same system twice is no difference
# means: The draws that are nearer to d than d is to 0 are counted, and not those that are as far.
def paired_p(first, second, draws):
    each = first - second
    d = each.mean()
    return float((1 + (abs(each[draws].mean(1) - d) < abs(d)).sum()) / (1 + len(draws)))
