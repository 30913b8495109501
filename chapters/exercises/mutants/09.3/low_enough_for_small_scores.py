# expect: however low the others are
# means: The number for what is hidden is not low enough: where all seen scores are lower, the hidden gets the share.
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
    shares = ops.softmax(ops.masked_fill(scores, ~allowed, -100.0))
    return shares @ v
