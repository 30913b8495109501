# expect: nothing written changes nothing
# means: An empty list becomes an array of floats, and that is no index.
import numpy as np


def penalized(logits, text, penalty):
    seen = np.unique(np.array(text))
    out = logits.copy()
    out[seen] = np.where(logits[seen] > 0, logits[seen] / penalty, logits[seen] * penalty)
    return out
