# expect: both directions count
# means: Only draws that are far above count: one side, where two are asked for.
import numpy as np


def paired_p(first, second, draws):
    each = first - second
    difference = each.mean()
    far = (each[draws].mean(1) - difference) * np.sign(difference)
    return float((1 + (far >= abs(difference)).sum()) / (1 + len(draws)))
