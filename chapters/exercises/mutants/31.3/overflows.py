# expect: in the thousands
# means: exp of a logit in the thousands is infinite, and infinity divided by itself is not a number.
import numpy as np


def expected_mark(logits, tokens, marks):
    among = logits[:, tokens]
    weights = np.exp(among)
    return weights @ marks / weights.sum(1)
