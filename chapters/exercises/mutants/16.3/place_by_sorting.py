# expect: a tie is no knowledge
# means: The place in a sorted list was taken: which of equals comes first is an accident there.
import numpy as np


def exposure(log_probs, secret):
    order = np.argsort(-log_probs, kind="stable").tolist()
    return float(np.log2(len(log_probs) / (order.index(secret) + 1)))
