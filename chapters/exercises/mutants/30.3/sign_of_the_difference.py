# expect: who is named first does not count
# means: It compares with d itself, which may be below 0, and not with its size.
import numpy as np


def paired_p(first, second, draws):
    each = first - second
    difference = each.mean()
    far = np.abs(each[draws].mean(1) - difference)
    return float((1 + (far >= difference).sum()) / (1 + len(draws)))
