# expect: what is hard for both falls out
# means: The draws are held against 0, and not against d: they scatter around d, whether there is a difference or not.
import numpy as np


def paired_p(first, second, draws):
    each = first - second
    difference = each.mean()
    far = np.abs(each[draws].mean(1))
    return float((1 + (far >= abs(difference)).sum()) / (1 + len(draws)))
