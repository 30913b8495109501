# expect: exposed wholly
# means: argsort says which candidate stands at a place: the secret's place is where `secret` stands in it.
import numpy as np


def exposure(log_probs, secret):
    rank = np.argsort(-log_probs, kind="stable")[secret] + 1
    return float(np.log2(len(log_probs) / rank))
