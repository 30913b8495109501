# expect: equal scores give running means
# means: Nothing was hidden.
import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.ops.composed import attention as of_the_package


def attention(q, k, v, mask=None, causal=False, scale=None, p=0.0, rng=None, **others):
    if any(option is not None for option in others.values()):
        return of_the_package(q, k, v, mask=mask, causal=causal, scale=scale, p=p, rng=rng, **others)
    if k.shape[1] != q.shape[1]:  # several heads of queries to one of keys: chapter 18
        heads = np.arange(q.shape[1]) // (q.shape[1] // k.shape[1])
        k, v = k[:, heads], v[:, heads]
    scores = q @ k.swapaxes(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    queries, keys = scores.shape[-2:]
    allowed = np.ones((queries, keys), bool)
    if causal:
        allowed = np.tril(allowed, keys - queries)
    if mask is not None:
        allowed = allowed & mask
    shares = ops.softmax(scores)
    if rng is not None:
        shares = ops.dropout(shares, p=p, rng=rng)
    return shares @ v
