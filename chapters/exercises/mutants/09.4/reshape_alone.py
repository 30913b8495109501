# expect: each head gets its numbers of every position


def split_heads(x, n_head):
    batch, time, width = x.shape
    return x.reshape(batch, n_head, time, width // n_head)


def join_heads(y):
    batch, n_head, time, size = y.shape
    return y.reshape(batch, time, n_head * size)
