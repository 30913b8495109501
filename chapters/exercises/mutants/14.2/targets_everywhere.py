# expect: nothing is chosen
# means: Every place has its token for a target: only the chosen ones have, all others have -100.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    chosen = (rng.random(tokens.shape) < rate) & np.isin(tokens, words)
    fate = rng.random(tokens.shape)
    hidden = np.where(chosen & (fate < masked), mask_id, tokens)
    exchanged = chosen & (fate >= masked) & (fate < masked + random)
    hidden = np.where(exchanged, rng.choice(words, tokens.shape), hidden)
    return hidden, tokens.copy()
