# expect: both directions count
# means: Only the texts choose among pictures: the other direction is missing.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / np.sqrt((pictures**2).sum(1, keepdims=True))
    texts = texts / np.sqrt((texts**2).sum(1, keepdims=True))
    logits = pictures @ texts.T / temperature
    return float((np.logaddexp.reduce(logits, 0) - np.diagonal(logits)).mean())
