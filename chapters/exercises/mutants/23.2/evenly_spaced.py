# expect: two bits by hand
# means: The numbers are evenly spaced; the probabilities are to be.
import numpy as np


def normal_float(bits):
    count = 2**bits
    return np.concatenate([np.linspace(-1, 0, count // 2), np.linspace(0, 1, count // 2 + 1)[1:]])
