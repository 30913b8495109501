# expect: the word that crosses p stays
# means: The word with which the sum crosses top_p was dropped.
import numpy as np


def shares(logits, temperature=1.0, top_p=1.0):
    p = np.exp((logits - logits.max()) / temperature)
    p = p / p.sum()
    order = np.argsort(-p)
    held = np.cumsum(p[order])
    p[order[held > top_p]] = 0
    return p / p.sum()
