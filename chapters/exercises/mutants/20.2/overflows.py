# expect: a small temperature does not overflow
# means: The exponential was taken of the logits themselves: nothing was subtracted first.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / np.sqrt((pictures**2).sum(1, keepdims=True))
    texts = texts / np.sqrt((texts**2).sum(1, keepdims=True))
    logits = pictures @ texts.T / temperature
    each = np.exp(logits)
    total = np.log(each.sum(1)) + np.log(each.sum(0))
    return float((total / 2 - np.diagonal(logits)).mean())
