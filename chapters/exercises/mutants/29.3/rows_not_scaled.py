# expect: each empty question counts as much
# means: The empty rows were averaged as they are, so that one in which the model would say other words counts less.


def calibrated(p, p_empty):
    expected = p_empty.mean(0)
    q = p / expected
    return q / q.sum(1, keepdims=True)
