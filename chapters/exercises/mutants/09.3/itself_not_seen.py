# expect: equal scores give running means
# means: A query does not see the key at its own place.
import numpy as np

from tinygrad_llm import ops


def attention(q, k, v, mask=None, causal=False, scale=None, p=0.0, rng=None):
    scores = q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5
    queries, keys = scores.shape[-2:]
    allowed = np.ones((queries, keys), bool)
    if causal:
        allowed = np.tril(allowed, keys - queries - 1)
    if mask is not None:
        allowed = allowed & mask
    shares = ops.softmax(ops.masked_fill(scores, ~allowed, -np.inf))
    return shares @ v
