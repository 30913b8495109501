# expect: each answer by itself
# means: The weights of all answers are added up; each answer has a sum of its own.
import numpy as np


def expected_mark(logits, tokens, marks):
    among = logits[:, tokens]
    weights = np.exp(among - among.max(1, keepdims=True))
    return weights @ marks / weights.sum()
