"""20.2  The contrastive loss.

    contrastive_loss(pictures, texts, temperature)    (B, E), (B, E), a number above 0 -> a number

Row i of the one belongs to row i of the other, and to no other row. How near two of them are is the cosine of their
angle, and a logit is that cosine divided by the temperature. Each picture then names its text among all B, and each
text its picture among all B: both are classifications, with softmax and the mean of -ln p of the right one. The loss
is the mean of the two, in nats.

The vectors come with any length. The temperature may be small: e^(1 / 0.001) is more than a float holds.
"""

import numpy as np


def contrastive_loss(pictures, texts, temperature):
    # >>> a number
    pictures = pictures / np.sqrt((pictures**2).sum(1, keepdims=True))
    texts = texts / np.sqrt((texts**2).sum(1, keepdims=True))
    logits = pictures @ texts.T / temperature
    nats = []
    for choices in (logits, logits.T):
        top = choices.max(1, keepdims=True)
        nats.append(np.log(np.exp(choices - top).sum(1)) + top[:, 0] - np.diagonal(choices))
    return float(np.mean(nats))
    # <<<
