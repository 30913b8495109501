# expect: a case counted by hand
# means: This is the share of equal labels: what chance would give is not subtracted.


def kappa(one, other):
    agreed = sum(a == b for a, b in zip(one, other)) / len(one)
    return agreed
