# expect: a sure and an unsure token
# means: Perplexities were averaged: it is the exponential of the mean loss.
import math

import numpy as np


def measures(log_p, text):
    loss = -log_p.mean()
    return loss, float(np.exp(-log_p).mean()), -log_p.sum() / math.log(2) / len(text.encode("utf-8"))
