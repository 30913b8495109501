"""12.1  The loss on chosen words.

    logits (B, T, V)    what a GPT says at every place: logits[b, t] is about the word that comes *after* tokens[b, t]
    tokens (B, T)       the ids of the words
    chosen (B, T)       true for the words on which it shall be judged: those that point far back, or those of an answer

Return the mean of -ln p over the chosen words, in nats. Which place speaks about word t? Is there a word that nobody
predicts? It does not count, chosen or not. One word at least remains.
"""

import numpy as np
from tinygrad_llm.course import Todo


def chosen_loss(logits, tokens, chosen):
    raise Todo("a number")
