"""20.2  The contrastive loss.

    contrastive_loss(pictures, texts, temperature)    (B, E), (B, E), a number above 0 -> a number

Row i of the one belongs to row i of the other, and to no other row. How near two of them are is the cosine of their
angle, and a logit is that cosine divided by the temperature. Each picture then names its text among all B, and each
text its picture among all B: both are classifications, with softmax and the mean of -ln p of the right one. The loss
is the mean of the two, in nats.

The vectors come with any length. The temperature may be small: e^(1 / 0.001) is more than a float holds.
"""

import numpy as np
from tinygrad_llm.course import Todo


def contrastive_loss(pictures, texts, temperature):
    raise Todo("a number")
