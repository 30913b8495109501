# expect: a logit above 0 is divided
# means: Words that came are forbidden, and not made less likely.
import numpy as np


def penalized(logits, text, penalty):
    out = logits.copy()
    out[list(set(text))] = -np.inf
    return out
