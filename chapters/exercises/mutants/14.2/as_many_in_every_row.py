# expect: some rows have more than others
# means: Each row had the same number of tokens chosen: each token is chosen by itself, so the numbers differ.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    known = np.isin(tokens, words)
    order = np.where(known, rng.random(tokens.shape), 2.0).argsort(1).argsort(1)
    chosen = order < np.round(rate * known.sum(1, keepdims=True))
    fate = rng.random(tokens.shape)
    hidden = np.where(chosen & (fate < masked), mask_id, tokens)
    exchanged = chosen & (fate >= masked) & (fate < masked + random)
    hidden = np.where(exchanged, rng.choice(words, tokens.shape), hidden)
    return hidden, np.where(chosen, tokens, -100)
