# expect: a logit above 0 is divided
# means: The shares are divided by the penalty: the penalty is for logits.
import numpy as np


def penalized(logits, text, penalty):
    out = logits.copy()
    for word in set(text):
        out[word] = logits[word] - np.log(penalty)
    return out
