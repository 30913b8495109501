# expect: a logit above 0 is divided
# means: The words that the text has not were penalized.
import numpy as np


def penalized(logits, text, penalty):
    out = np.where(logits > 0, logits / penalty, logits * penalty)
    for word in set(text):
        out[word] = logits[word]
    return out
