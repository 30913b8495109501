# expect: counted by hand
# means: Divided by how many marks there are, and not by the sum of the weights.
import numpy as np


def expected_mark(logits, tokens, marks):
    among = logits[:, tokens]
    weights = np.exp(among - among.max(1, keepdims=True))
    return weights @ marks / len(marks)
