# expect: whether and how are two questions
# means: One random number decided both whether a token is chosen and what becomes of it: those chosen have small ones.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    draw = rng.random(tokens.shape)
    chosen = (draw < rate) & np.isin(tokens, words)
    hidden = np.where(chosen & (draw < masked), mask_id, tokens)
    exchanged = chosen & (draw >= masked) & (draw < masked + random)
    hidden = np.where(exchanged, rng.choice(words, tokens.shape), hidden)
    return hidden, np.where(chosen, tokens, -100)
