# expect: what is far less likely than the likeliest goes
# means: What remains was not scaled to sum to 1.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    p = np.exp((logits - logits.max()) / temperature)
    p = p / p.sum()
    return np.where(p >= min_p * p.max(), p, 0.0)
