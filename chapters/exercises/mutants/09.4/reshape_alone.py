# expect: each head gets its numbers of every position
# means: The axes were never exchanged: a reshape alone mixes positions and heads.


def split_heads(x, n_head):
    batch, time, width = x.shape
    return x.reshape(batch, n_head, time, width // n_head)


def join_heads(y):
    batch, n_head, time, size = y.shape
    return y.reshape(batch, time, n_head * size)


def share_heads(k, n_head):
    return k.repeat(n_head // k.shape[1], axis=1)
