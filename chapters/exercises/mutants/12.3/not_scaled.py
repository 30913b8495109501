# expect: the word that crosses p stays
# means: What remains was not scaled to sum to 1.
import numpy as np


def shares(logits, temperature=1.0, top_p=1.0):
    p = np.exp((logits - logits.max()) / temperature)
    p = p / p.sum()
    order = np.argsort(-p)
    before = np.cumsum(p[order]) - p[order]  # what all that are more likely hold together
    p[order[before >= top_p]] = 0
    return p
