# expect: each head gets its numbers of every position
# means: The last axis was cut the other way: head h got every H-th number.


def split_heads(x, n_head):
    batch, time, width = x.shape
    return x.reshape(batch, time, width // n_head, n_head).transpose(0, 3, 1, 2)


def join_heads(y):
    batch, n_head, time, size = y.shape
    return y.transpose(0, 2, 3, 1).reshape(batch, time, n_head * size)


def share_heads(k, n_head):
    return k.repeat(n_head // k.shape[1], axis=1)
