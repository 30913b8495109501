# expect: what it is worth
# means: The marks' places 0, 1, 2 … are averaged, and not what they are worth.
import numpy as np


def expected_mark(logits, tokens, marks):
    among = logits[:, tokens]
    weights = np.exp(among - among.max(1, keepdims=True))
    return weights @ np.arange(len(marks)) / weights.sum(1)
