# expect: the length of a vector does not count
# means: Only the vectors of the pictures are made as long as one, those of the texts are not.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / np.sqrt((pictures**2).sum(1, keepdims=True))
    logits = pictures @ texts.T / temperature
    total = np.logaddexp.reduce(logits, 1) + np.logaddexp.reduce(logits, 0)
    return float((total / 2 - np.diagonal(logits)).mean())
