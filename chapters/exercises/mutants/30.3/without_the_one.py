# expect: what is hard for both falls out
# means: The 1 above and below is missing: p could be 0, which no number of draws can show.
import numpy as np


def paired_p(first, second, draws):
    each = first - second
    difference = each.mean()
    far = np.abs(each[draws].mean(1) - difference)
    return float((far >= abs(difference)).mean())
