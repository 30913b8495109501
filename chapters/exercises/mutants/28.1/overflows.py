# expect: large logits do not overflow
# means: The exponential is taken of the logits as they are, and large ones overflow.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    p = np.exp(logits / temperature)
    p = np.where(p >= min_p * p.max(), p, 0.0)
    return p / p.sum()
