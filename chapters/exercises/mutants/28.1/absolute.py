# expect: what is far less likely than the likeliest goes
# means: A word must have the share min_p itself: min-p is a part of the likeliest word's share.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    p = np.exp((logits - logits.max()) / temperature)
    p = p / p.sum()
    p = np.where(p >= min_p, p, 0.0)
    return p / p.sum()
