# expect: each question has a row of its own
# means: All rows were scaled together: each question's answers have the sum 1.


def calibrated(p, p_empty):
    expected = (p_empty / p_empty.sum(1, keepdims=True)).mean(0)
    q = p / expected
    return q / q.sum()
