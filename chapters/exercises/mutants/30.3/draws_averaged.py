# expect: a case counted by hand
# means: The mean is taken over the draws, and not over the examples of a draw: axis 0 for axis 1.
import numpy as np


def paired_p(first, second, draws):
    each = first - second
    difference = each.mean()
    far = np.abs(each[draws].mean(0) - difference)
    return float((1 + (far >= abs(difference)).sum()) / (1 + len(draws)))
