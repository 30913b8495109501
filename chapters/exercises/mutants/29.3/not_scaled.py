# expect: what is expected anyway is divided out
# means: The rows of what is left were not scaled to the sum 1.


def calibrated(p, p_empty):
    expected = (p_empty / p_empty.sum(1, keepdims=True)).mean(0)
    return p / expected
