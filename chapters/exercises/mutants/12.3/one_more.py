# expect: not one word more than it takes
# means: One word more was kept than it takes.
import numpy as np


def shares(logits, temperature=1.0, top_p=1.0):
    p = np.exp((logits - logits.max()) / temperature)
    p = p / p.sum()
    order = np.argsort(-p)
    before = np.cumsum(p[order]) - p[order]  # what all that are more likely hold together
    p[order[1:][before[:-1] >= top_p]] = 0
    return p / p.sum()
