# expect: a logit above 0 is divided
# means: All words are penalized, and not those of the text alone.
import numpy as np


def penalized(logits, text, penalty):
    return np.where(logits > 0, logits / penalty, logits * penalty)
