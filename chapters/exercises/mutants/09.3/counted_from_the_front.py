# expect: the last query stands beside the last key
# means: The places were counted from the front: the first query stands beside the first key.
import numpy as np

from tinygrad_llm import ops


def attention(q, k, v, mask=None, causal=False, scale=None, p=0.0, rng=None):
    scores = q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5
    queries, keys = scores.shape[-2:]
    allowed = np.ones((queries, keys), bool)
    if causal:
        allowed = np.tril(allowed)
    if mask is not None:
        allowed = allowed & mask
    shares = ops.softmax(ops.masked_fill(scores, ~allowed, -np.inf))
    return shares @ v
