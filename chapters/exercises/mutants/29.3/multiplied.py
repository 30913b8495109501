# expect: what is expected anyway is divided out
# means: What the prompt expects anyway was multiplied in: it has to be divided out.


def calibrated(p, p_empty):
    expected = (p_empty / p_empty.sum(1, keepdims=True)).mean(0)
    q = p * expected
    return q / q.sum(1, keepdims=True)
