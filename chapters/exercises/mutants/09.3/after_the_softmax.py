# expect: equal scores give running means
# means: The mask came after the softmax: the shares that are left in a row no longer sum to 1.
import numpy as np

from tinygrad_llm import ops


def attention(q, k, v, mask=None, causal=False, scale=None, p=0.0, rng=None):
    scores = q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5
    queries, keys = scores.shape[-2:]
    allowed = np.ones((queries, keys), bool)
    if causal:
        allowed = np.tril(allowed, keys - queries)
    if mask is not None:
        allowed = allowed & mask
    shares = ops.where(allowed, ops.softmax(scores), 0.0)
    return shares @ v
