# expect: several empty questions are averaged
# means: The logarithms of the empty rows were averaged, and not the rows.
import numpy as np


def calibrated(p, p_empty):
    expected = np.exp(np.log(p_empty / p_empty.sum(1, keepdims=True)).mean(0))
    q = p / expected
    return q / q.sum(1, keepdims=True)
