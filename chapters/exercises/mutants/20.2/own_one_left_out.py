# expect: one pair has nothing to choose
# means: The right one is left out of the sum below: then the loss has no floor.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / np.sqrt((pictures**2).sum(1, keepdims=True))
    texts = texts / np.sqrt((texts**2).sum(1, keepdims=True))
    logits = pictures @ texts.T / temperature
    others = np.exp(logits) * (1 - np.eye(len(logits)))
    total = np.log(others.sum(1)) + np.log(others.sum(0))
    return float((total / 2 - np.diagonal(logits)).mean())
