# expect: a question like an empty one is even
# means: The rows that were given were changed.


def calibrated(p, p_empty):
    p_empty /= p_empty.sum(1, keepdims=True)
    q = p / p_empty.mean(0)
    return q / q.sum(1, keepdims=True)
