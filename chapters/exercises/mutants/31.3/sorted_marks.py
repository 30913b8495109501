# expect: in any order
# means: The marks are sorted, and the tokens are not: each token has its own mark.
import numpy as np


def expected_mark(logits, tokens, marks):
    among = logits[:, tokens]
    weights = np.exp(among - among.max(1, keepdims=True))
    return weights @ np.sort(marks) / weights.sum(1)
