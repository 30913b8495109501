"""12.1  The loss on chosen words.

    logits (B, T, V)    what a GPT says at every place: logits[b, t] is about the word that comes *after* tokens[b, t]
    tokens (B, T)       the ids of the words
    chosen (B, T)       true for the words on which it shall be judged: those that point far back, or those of an answer

Return the mean of -ln p over the chosen words, in nats. Which place speaks about word t? Is there a word that nobody
predicts? It does not count, chosen or not. One word at least remains.
"""

import numpy as np


def chosen_loss(logits, tokens, chosen):
    # >>> a number
    logits, targets, counts = logits[:, :-1], tokens[:, 1:], chosen[:, 1:]
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    log_p = np.take_along_axis(log_p, targets[:, :, None], -1)[:, :, 0]
    return -log_p[counts].mean()
    # <<<
