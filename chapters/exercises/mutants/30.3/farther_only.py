# expect: the same system twice is no difference
# means: A draw that is exactly as far is not counted.
import numpy as np


def paired_p(first, second, draws):
    each = first - second
    difference = each.mean()
    far = np.abs(each[draws].mean(1) - difference)
    return float((1 + (far > abs(difference)).sum()) / (1 + len(draws)))
