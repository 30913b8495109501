# expect: what is expected anyway is divided out
# means: What the prompt expects anyway was taken off: how many times as likely as expected counts, not by how much.


def calibrated(p, p_empty):
    expected = (p_empty / p_empty.sum(1, keepdims=True)).mean(0)
    q = p / p.sum(1, keepdims=True) - expected + 1 / p.shape[1]
    return q
