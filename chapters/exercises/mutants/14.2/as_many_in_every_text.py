# expect: how many is left to chance
# means: The same number of tokens is chosen each time: each is chosen by itself, so that the number differs.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    places = np.argwhere(np.isin(tokens, words))
    places = rng.permutation(places)[: round(rate * len(places))]
    chosen = np.full(tokens.shape, False)
    chosen[tuple(places.T)] = True
    fate = rng.random(tokens.shape)
    hidden = np.where(chosen & (fate < masked), mask_id, tokens)
    exchanged = chosen & (fate >= masked) & (fate < masked + random)
    hidden = np.where(exchanged, rng.choice(words, tokens.shape), hidden)
    return hidden, np.where(chosen, tokens, -100)
