# expect: neighbours share a head of keys
# means: The heads of keys take turns: 0, 1, 0, 1, where neighbours should share one.
import numpy as np


def split_heads(x, n_head):
    batch, time, width = x.shape
    return x.reshape(batch, time, n_head, width // n_head).swapaxes(1, 2)


def join_heads(y):
    batch, n_head, time, size = y.shape
    return y.swapaxes(1, 2).reshape(batch, time, n_head * size)


def share_heads(k, n_head):
    return np.tile(k, (1, n_head // k.shape[1], 1, 1))
