# expect: what is hard for both falls out
# means: The two systems are scored on different draws: what is hard for both does not fall out then.
import numpy as np


def paired_p(first, second, draws):
    each = first - second
    difference = each.mean()
    far = np.abs((first[draws] - second[np.roll(draws, 1, 0)]).mean(1) - difference)
    return float((1 + (far >= abs(difference)).sum()) / (1 + len(draws)))
