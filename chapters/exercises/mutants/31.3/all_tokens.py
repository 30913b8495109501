# expect: counted by hand
# means: The probabilities are those among all tokens, and what is no mark takes a share of them.
import numpy as np


def expected_mark(logits, tokens, marks):
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights[:, tokens] @ marks / weights.sum(1)
