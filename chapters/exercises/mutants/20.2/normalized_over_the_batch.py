# expect: one pair has nothing to choose
# means: The lengths are taken over the batch, and not over each vector: axis 0 for axis 1.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / np.sqrt((pictures**2).sum(0, keepdims=True))
    texts = texts / np.sqrt((texts**2).sum(0, keepdims=True))
    logits = pictures @ texts.T / temperature
    shifted = np.exp(logits - logits.max())
    total = np.log(shifted.sum(1)) + np.log(shifted.sum(0)) + 2 * logits.max()
    return float((total / 2 - np.diagonal(logits)).mean())
