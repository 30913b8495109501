# expect: nan is not right
# means: It asks whether a difference is too large, and a comparison with nan is never true.
import numpy as np

H = 1e-5


def differences(operation, x, c):
    slopes = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        ends = []
        for step in (H, -H):
            moved = x.copy()
            moved[index] += step
            ends.append((operation(moved)[0] * c).sum())
        slopes[index] = (ends[0] - ends[1]) / (2 * H)
    return slopes


def is_right(operation, x, c):
    tried = differences(operation, x, c)
    found = operation(x)[1](c, (True,))
    return not (np.abs(found - tried) > 1e-5 * np.maximum(1.0, np.abs(tried))).any()
