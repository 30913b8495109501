# expect: what was seen gives a little to what was not
# means: The discount was taken off counts of 0 too.


def discounted(counts, shorter, D):
    total = counts.sum()
    return shorter if total == 0 else (counts - D + D * (counts > 0).sum() * shorter) / total
