# expect: you got
# means: Every chosen token became [MASK]: `masked` of them do, some become another word, and some stay.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    chosen = (rng.random(tokens.shape) < rate) & np.isin(tokens, words)
    return np.where(chosen, mask_id, tokens), np.where(chosen, tokens, -100)
