# expect: large logits do not overflow
# means: exp was taken of the logits themselves, without their maximum taken off.
import numpy as np


def shares(logits, temperature=1.0, top_p=1.0):
    p = np.exp(logits / temperature)
    p = p / p.sum()
    order = np.argsort(-p)
    before = np.cumsum(p[order]) - p[order]  # what all that are more likely hold together
    p[order[before >= top_p]] = 0
    return p / p.sum()
