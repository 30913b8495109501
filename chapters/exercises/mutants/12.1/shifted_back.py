# expect: the first place speaks about the second word
# means: Each place was judged on the word before it, and not on the word after it.
import numpy as np


def chosen_loss(logits, tokens, chosen):
    logits, targets, counts = logits[:, 1:], tokens[:, :-1], chosen[:, :-1]
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    log_p = np.take_along_axis(log_p, targets[:, :, None], -1)[:, :, 0]
    return -log_p[counts].mean()
