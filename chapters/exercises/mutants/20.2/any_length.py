# expect: the length of a vector does not count
# means: The vectors keep their lengths: a product of two is no cosine then.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    logits = pictures @ texts.T / temperature
    shifted = np.exp(logits - logits.max())
    total = np.log(shifted.sum(1)) + np.log(shifted.sum(0)) + 2 * logits.max()
    return float((total / 2 - np.diagonal(logits)).mean())
