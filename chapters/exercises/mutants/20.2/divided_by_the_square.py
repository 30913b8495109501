# expect: the length of a vector does not count
# means: The vectors are divided by the square of their length: the root is missing.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / (pictures**2).sum(1, keepdims=True)
    texts = texts / (texts**2).sum(1, keepdims=True)
    logits = pictures @ texts.T / temperature
    shifted = np.exp(logits - logits.max())
    total = np.log(shifted.sum(1)) + np.log(shifted.sum(0)) + 2 * logits.max()
    return float((total / 2 - np.diagonal(logits)).mean())
