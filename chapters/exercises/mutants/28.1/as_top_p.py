# expect: what is far less likely than the likeliest goes
# means: This is top-p: the likeliest words until they hold min_p together.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    p = np.exp((logits - logits.max()) / temperature)
    p = p / p.sum()
    order = np.argsort(-p)
    if min_p:
        p[order[np.cumsum(p[order]) - p[order] >= min_p]] = 0
    return p / p.sum()
