# expect: the same system twice is no difference
# means: 1 is added to the count, and not to the number of draws.
import numpy as np


def paired_p(first, second, draws):
    each = first - second
    difference = each.mean()
    far = np.abs(each[draws].mean(1) - difference)
    return float((1 + (far >= abs(difference)).sum()) / len(draws))
