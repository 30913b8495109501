# expect: you got
# means: No chosen token stayed what it was: all that are not masked became another word.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    chosen = (rng.random(tokens.shape) < rate) & np.isin(tokens, words)
    hidden = np.where(chosen, rng.choice(words, tokens.shape), tokens)
    hidden = np.where(chosen & (rng.random(tokens.shape) < masked), mask_id, hidden)
    return hidden, np.where(chosen, tokens, -100)
