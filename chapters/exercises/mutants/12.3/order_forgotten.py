# expect: shares stand where their words stand
# means: The places in the sorted order were used as if they were the words' own.
import numpy as np


def shares(logits, temperature=1.0, top_p=1.0):
    p = np.exp((logits - logits.max()) / temperature)
    p = p / p.sum()
    order = np.argsort(-p)
    before = np.cumsum(p[order]) - p[order]  # what all that are more likely hold together
    p[before >= top_p] = 0
    return p / p.sum()
