# expect: logits are no probabilities yet
# means: The logits were taken for ln p: their softmax is missing.
import numpy as np


def chosen_loss(logits, tokens, chosen):
    logits, targets, counts = logits[:, :-1], tokens[:, 1:], chosen[:, 1:]
    log_p = np.take_along_axis(logits, targets[:, :, None], -1)[:, :, 0]
    return -log_p[counts].mean()
