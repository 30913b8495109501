# expect: the length of a vector does not count
# means: The vectors keep their lengths: a product of two is no cosine then.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    logits = pictures @ texts.T / temperature
    total = np.logaddexp.reduce(logits, 1) + np.logaddexp.reduce(logits, 0)
    return float((total / 2 - np.diagonal(logits)).mean())
