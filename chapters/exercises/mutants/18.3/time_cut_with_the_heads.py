# expect: queries stay where they are
# means: The axis of positions has come before that of heads: answers stand at other places.
import numpy as np


def grouped_attention(q, k, v):
    batch, heads, time, size = q.shape
    groups = k.shape[1]
    q = q.reshape(batch, groups, heads // groups, time, size)
    scores = q @ k[:, :, None].swapaxes(-1, -2) / np.sqrt(size)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares = shares / shares.sum(-1, keepdims=True)
    return (shares @ v[:, :, None]).swapaxes(2, 3).reshape(batch, heads, time, size)


def cache_bytes(layers, groups, size, positions, number_bytes=4):
    return 2 * layers * groups * size * positions * number_bytes
