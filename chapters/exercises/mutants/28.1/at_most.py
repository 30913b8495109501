# expect: what is far less likely than the likeliest goes
# means: The likely words were cut, and the unlikely ones kept.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    p = np.exp((logits - logits.max()) / temperature)
    p = np.where((p < min_p) | (min_p == 0), p, 0.0)
    return p / p.sum() if p.any() else p
