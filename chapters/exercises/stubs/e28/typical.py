"""28.3  Typical sampling.

A word's surprise is -ln p(word). A text that somebody writes surprises, at each word, about as much as its reader
expects: not less, and not more. What he expects is the mean surprise, sum over words of p · (-ln p).

So words are put in order, those first whose surprise is nearest to the mean, on either side. Of this order remain as
many as it takes until their shares together are at least `keep`, and not one more; the first one always. What remains
is scaled to sum to 1.

`shares(logits, keep)`: logits (V,), none infinite; returns (V,). Of words equally near any may go first. Logits may be
large.
Source: Meister et al., "Locally Typical Sampling", 2022.
"""

import numpy as np
from tinygrad_llm.course import Todo


def shares(logits, keep=1.0):
    raise Todo("(V,), which sums to 1")
