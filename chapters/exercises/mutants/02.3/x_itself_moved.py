# expect: differences of a square
# means: Both ends were computed with the same moved x, because x itself was moved and not a copy.
import numpy as np

H = 1e-5


def differences(operation, x, c):
    slopes = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        ends = []
        for step in (H, -H):
            moved = x
            moved[index] += step
            ends.append((operation(moved)[0] * c).sum())
        slopes[index] = (ends[0] - ends[1]) / (2 * H)
    return slopes


def is_right(operation, x, c):
    tried = differences(operation, x, c)
    found = operation(x)[1](c, (True,))
    return bool((np.abs(found - tried) <= 1e-5 * np.maximum(1.0, np.abs(tried))).all())
