# expect: one pair has nothing to choose
# means: The lengths are taken over the batch, and not over each vector: axis 0 for axis 1.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / np.sqrt((pictures**2).sum(0, keepdims=True))
    texts = texts / np.sqrt((texts**2).sum(0, keepdims=True))
    logits = pictures @ texts.T / temperature
    total = np.logaddexp.reduce(logits, 1) + np.logaddexp.reduce(logits, 0)
    return float((total / 2 - np.diagonal(logits)).mean())
