# expect: you got
# means: Some that were masked already were then exchanged for a word: nothing happens to a token twice.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    chosen = (rng.random(tokens.shape) < rate) & np.isin(tokens, words)
    hidden = np.where(chosen & (rng.random(tokens.shape) < masked), mask_id, tokens)
    exchanged = chosen & (rng.random(tokens.shape) < random)
    hidden = np.where(exchanged, rng.choice(words, tokens.shape), hidden)
    return hidden, np.where(chosen, tokens, -100)
