# expect: the temperature comes first
# means: The words that remain were chosen before the temperature: it comes first.
import numpy as np


def shares(logits, temperature=1.0, top_p=1.0):
    p = np.exp(logits - logits.max())
    p = p / p.sum()
    order = np.argsort(-p)
    before = np.cumsum(p[order]) - p[order]  # what all that are more likely hold together
    p[order[before >= top_p]] = 0
    p = p ** (1 / temperature)
    return p / p.sum()
