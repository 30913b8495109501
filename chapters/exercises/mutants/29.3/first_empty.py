# expect: several empty questions are averaged
# means: Only the first empty question was used.


def calibrated(p, p_empty):
    expected = p_empty[0] / p_empty[0].sum()
    q = p / expected
    return q / q.sum(1, keepdims=True)
