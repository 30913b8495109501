# expect: every query head asks for itself
# means: The largest score is not taken off before exp(), which overflows.
import numpy as np


def grouped_attention(q, k, v):
    batch, heads, time, size = q.shape
    groups = k.shape[1]
    q = q.reshape(batch, groups, heads // groups, time, size)
    scores = q @ k[:, :, None].swapaxes(-1, -2) / np.sqrt(size)
    shares = np.exp(scores)
    shares = shares / shares.sum(-1, keepdims=True)
    return (shares @ v[:, :, None]).reshape(batch, heads, time, size)


def cache_bytes(layers, groups, size, positions, number_bytes=4):
    return 2 * layers * groups * size * positions * number_bytes
