# expect: each word is put in alike
# means: The word that stood there is never put in: any word may be, that one too.
import numpy as np


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    hidden, targets = tokens.copy(), np.full(tokens.shape, -100)
    for row, place in np.argwhere((rng.random(tokens.shape) < rate) & np.isin(tokens, words)):
        targets[row, place] = tokens[row, place]
        fate = rng.random()
        if fate < masked:
            hidden[row, place] = mask_id
        elif fate < masked + random:
            hidden[row, place] = rng.choice(words[words != tokens[row, place]])
    return hidden, targets
