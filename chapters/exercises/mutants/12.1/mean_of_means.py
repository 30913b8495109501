# expect: a mean over the chosen words of all stories
# means: Each story's mean was averaged: the mean is over all chosen words of all stories.
import numpy as np


def chosen_loss(logits, tokens, chosen):
    logits, targets, counts = logits[:, :-1], tokens[:, 1:], chosen[:, 1:]
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    log_p = np.take_along_axis(log_p, targets[:, :, None], -1)[:, :, 0]
    return -np.mean([row[c].mean() for row, c in zip(log_p, counts) if c.any()])
