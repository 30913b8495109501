# expect: you got
# means: `random` was taken as a share of the chosen that are not masked: it is one of all that are chosen.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    chosen = (rng.random(tokens.shape) < rate) & np.isin(tokens, words)
    to_mask = chosen & (rng.random(tokens.shape) < masked)
    exchanged = chosen & ~to_mask & (rng.random(tokens.shape) < random)
    hidden = np.where(to_mask, mask_id, tokens)
    hidden = np.where(exchanged, rng.choice(words, tokens.shape), hidden)
    return hidden, np.where(chosen, tokens, -100)
