# expect: changed argument
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    chosen = (rng.random(tokens.shape) < rate) & np.isin(tokens, words)
    targets = np.where(chosen, tokens, -100)
    fate = rng.random(tokens.shape)
    exchanged = chosen & (fate >= masked) & (fate < masked + random)
    tokens[chosen & (fate < masked)] = mask_id
    tokens[exchanged] = rng.choice(words, exchanged.sum())
    return tokens, targets
