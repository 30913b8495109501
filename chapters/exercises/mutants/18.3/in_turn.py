# expect: neighbours share
# means: The query heads take the heads of keys in turn, 0 1 0 1; neighbours share: 0 0 1 1.
import numpy as np


def grouped_attention(q, k, v):
    batch, heads, time, size = q.shape
    groups = k.shape[1]
    q = q.reshape(batch, heads // groups, groups, time, size).swapaxes(1, 2)
    scores = q @ k[:, :, None].swapaxes(-1, -2) / np.sqrt(size)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares = shares / shares.sum(-1, keepdims=True)
    return (shares @ v[:, :, None]).swapaxes(1, 2).reshape(batch, heads, time, size)


def cache_bytes(layers, groups, size, positions, number_bytes=4):
    return 2 * layers * groups * size * positions * number_bytes
