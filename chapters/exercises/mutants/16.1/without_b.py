# expect: one order
# means: b was forgotten.
import numpy as np


def signature(hashes, a, b):
    return (hashes[:, None] * a).min(0)
