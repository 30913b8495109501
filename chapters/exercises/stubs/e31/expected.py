"""31.3  The expected mark.

A model is asked for a mark, and has a logit for each of its V tokens, of which some are marks. The likeliest mark alone
says 3 of an answer that is nearly a 4, and of one that is nearly a 2. Better is the mean of the marks, each weighed by
its probability among the marks (Liu et al., 2023); what the model would have said that is no mark has no part in it.

`expected_mark(logits, tokens, marks)`: logits (B, V) of B answers; tokens (M,), which of the V tokens are marks, and
marks (M,), what each of them is worth. Return the expected marks, (B,). Logits may be in the thousands.
"""

import numpy as np
from tinygrad_llm.course import Todo


def expected_mark(logits, tokens, marks):
    raise Todo("(B,)")
