"""09.3  Attention that does not see the future.

    attention(q, k, v)    (B, H, T, K), (B, H, S, K), (B, H, S, V) -> (B, H, T, V), on tensors

With `causal`, a query sees the keys up to its own place. Places are counted from the end: the last query stands
beside the last key and sees all of them. So where there are more keys than queries (T < S), as when a text is
continued, query t sees the keys 0 … t + S - T.

A mask, (T, S) or what broadcasts to (B, H, T, S), holds true where a query may look. What is hidden must get a share of
exactly 0, whatever the scores are, and the others must have 1 in all. Where must the mask stand for that? The function
works on tensors, so that gradients go through it. Its first lines are given; they leave to the package what this
exercise is not about.
"""

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.ops.composed import attention as of_the_package
from tinygrad_llm.course import Todo


def attention(q, k, v, mask=None, causal=False, scale=None, p=0.0, rng=None, **others):
    if k.shape[1] != q.shape[1] or any(option is not None for option in others.values()):
        return of_the_package(q, k, v, mask=mask, causal=causal, scale=scale, p=p, rng=rng, **others)
    scores = q @ k.swapaxes(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    queries, keys = scores.shape[-2:]
    allowed = np.ones((queries, keys), bool)
    if causal:
        raise Todo("forbid the future: (T, S) booleans")
    if mask is not None:
        allowed = allowed & mask
    raise Todo("the shares, (B, H, T, S); ops.masked_fill(tensor, booleans, number) and ops.softmax are there for you")
    if rng is not None:
        shares = ops.dropout(shares, p=p, rng=rng)
    return shares @ v
