# expect: a right pair of cosine 1 against 0
# means: What was subtracted is added again for one of the two sums alone.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / np.sqrt((pictures**2).sum(1, keepdims=True))
    texts = texts / np.sqrt((texts**2).sum(1, keepdims=True))
    logits = pictures @ texts.T / temperature
    total = np.logaddexp.reduce(logits, 1) + np.logaddexp.reduce(logits, 0) - logits.max(0)
    return float((total / 2 - np.diagonal(logits)).mean())
