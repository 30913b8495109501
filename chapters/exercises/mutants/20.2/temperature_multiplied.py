# expect: the temperature divides
# means: The cosines are multiplied by the temperature: a low one makes the choice soft, and not sharp.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / np.sqrt((pictures**2).sum(1, keepdims=True))
    texts = texts / np.sqrt((texts**2).sum(1, keepdims=True))
    logits = pictures @ texts.T * temperature
    total = np.logaddexp.reduce(logits, 1) + np.logaddexp.reduce(logits, 0)
    return float((total / 2 - np.diagonal(logits)).mean())
