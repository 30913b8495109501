"""18.3  Attention whose heads share keys.

    grouped_attention(q, k, v)    (B, H, T, K), (B, G, S, K), (B, G, S, K) -> (B, H, T, K)

Softmax attention, y = softmax(q kᵀ / sqrt(K)) v, without a mask: each query sees all S keys. But there are fewer heads
of keys and values than of queries, G for H: H / G query heads that stand side by side look at the same one. With two
heads of keys for four of queries, the query heads 0 and 1 use the first, and 2 and 3 the second.

    cache_bytes(layers, groups, size, positions, number_bytes=4)

says how many bytes it takes to keep the keys and the values of a text of so many positions: for each layer both, for
each of the G heads K numbers a position.

All are NumPy arrays. To copy the keys for each query head would be right; it is the memory that one wanted to save, so
think of a way without.
"""

import numpy as np


def grouped_attention(q, k, v):
    # >>> (B, H, T, K)
    batch, heads, time, size = q.shape
    groups = k.shape[1]
    q = q.reshape(batch, groups, heads // groups, time, size)
    scores = q @ k[:, :, None].swapaxes(-1, -2) / np.sqrt(size)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares = shares / shares.sum(-1, keepdims=True)
    return (shares @ v[:, :, None]).reshape(batch, heads, time, size)
    # <<<


def cache_bytes(layers, groups, size, positions, number_bytes=4):
    # >>> a number
    return 2 * layers * groups * size * positions * number_bytes
    # <<<
