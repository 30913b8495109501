# expect: special tokens may have any ids
# means: `special` was added to a tuple, and it may be a list: (*special, mask_id) makes a tuple of either.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    mask = (mask_id,)
    words = np.setdiff1d(np.arange(vocab_size), special + mask)
    chosen = (rng.random(tokens.shape) < rate) & np.isin(tokens, words)
    fate = rng.random(tokens.shape)
    hidden = np.where(chosen & (fate < masked), mask_id, tokens)
    exchanged = chosen & (fate >= masked) & (fate < masked + random)
    hidden = np.where(exchanged, rng.choice(words, tokens.shape), hidden)
    return hidden, np.where(chosen, tokens, -100)
