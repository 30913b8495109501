"""14.2  Hide words.

A model that sees both sides of a word would only copy it. So some are hidden, and the model names what stood there.

`tokens` (B, T) are ids. Each is chosen with probability `rate`, independently of the others. A chosen one becomes

    mask_id                  with probability `masked`
    any word                 with probability `random`: each word alike, also the one that stood there
    what it was              otherwise: it is named nevertheless

Words are the ids 0 … vocab_size - 1, without mask_id and those in `special`, a list or a tuple; they may stand anywhere
among the others. What is no word is never chosen, and never put in: nobody can name a padding.

Return two arrays (B, T) of whole numbers: the texts with what is hidden, and the targets, which are the tokens that
stood at the chosen places, and -100 at all others: the loss ignores that. Draw from `rng`, in any order. Leave `tokens`
as it is.
"""

import numpy as np
from tinygrad_llm.course import Todo

IGNORE = -100


def hide_tokens(tokens, rng, *, mask_id, vocab_size, special=(), rate=0.15, masked=0.8, random=0.1):
    raise Todo("(hidden, targets)")
