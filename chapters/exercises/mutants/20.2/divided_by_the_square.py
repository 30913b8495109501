# expect: the length of a vector does not count
# means: The vectors are divided by the square of their length: the root is missing.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / (pictures**2).sum(1, keepdims=True)
    texts = texts / (texts**2).sum(1, keepdims=True)
    logits = pictures @ texts.T / temperature
    total = np.logaddexp.reduce(logits, 1) + np.logaddexp.reduce(logits, 0)
    return float((total / 2 - np.diagonal(logits)).mean())
