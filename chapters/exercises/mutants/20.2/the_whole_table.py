# expect: who cannot tell chooses one of two
# means: One softmax over the whole table: a picture does not compete with other pictures for other texts.
import numpy as np


def contrastive_loss(pictures, texts, temperature):
    pictures = pictures / np.sqrt((pictures**2).sum(1, keepdims=True))
    texts = texts / np.sqrt((texts**2).sum(1, keepdims=True))
    logits = pictures @ texts.T / temperature
    return float((np.logaddexp.reduce(logits, None) - np.diagonal(logits)).mean())
