# expect: nothing is chosen
# means: Where nothing was chosen the target is 0, and 0 is a token: the loss ignores -100 and nothing else.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    chosen = (rng.random(tokens.shape) < rate) & np.isin(tokens, words)
    fate = rng.random(tokens.shape)
    hidden = np.where(chosen & (fate < masked), mask_id, tokens)
    exchanged = chosen & (fate >= masked) & (fate < masked + random)
    hidden = np.where(exchanged, rng.choice(words, tokens.shape), hidden)
    return hidden, np.where(chosen, tokens, 0)
