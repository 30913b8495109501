# expect: gradients go through it
# means: The scores left the graph: NumPy was asked, and the gradient ended there.
import numpy as np

from tinygrad_llm import Tensor, ops


def attention(q, k, v, mask=None, causal=False, scale=None, p=0.0, rng=None):
    scores = q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5
    queries, keys = scores.shape[-2:]
    allowed = np.ones((queries, keys), bool)
    if causal:
        allowed = np.tril(allowed, keys - queries)
    if mask is not None:
        allowed = allowed & mask
    shares = ops.softmax(Tensor(np.where(allowed, scores.numpy(), -np.inf)))
    return shares @ v
