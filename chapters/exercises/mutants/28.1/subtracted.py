# expect: what is far less likely than the likeliest goes
# means: A word may be min_p below the likeliest one's share: the two are compared by how many times, not by how much.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    p = np.exp((logits - logits.max()) / temperature)
    p = p / p.sum()
    p = np.where(p >= p.max() - min_p if min_p else True, p, 0.0)
    return p / p.sum()
