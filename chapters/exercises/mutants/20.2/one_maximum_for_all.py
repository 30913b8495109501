# expect: each choice has its own largest logit
# means: The table's largest logit was taken off everywhere: a row that lies far below is left with ln 0.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / np.sqrt((pictures**2).sum(1, keepdims=True))
    texts = texts / np.sqrt((texts**2).sum(1, keepdims=True))
    logits = pictures @ texts.T / temperature
    shifted = np.exp(logits - logits.max())
    total = np.log(shifted.sum(1)) + np.log(shifted.sum(0)) + 2 * logits.max()
    return float((total / 2 - np.diagonal(logits)).mean())
