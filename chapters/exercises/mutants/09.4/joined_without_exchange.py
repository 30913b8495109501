# expect: the heads are put side by side again
# means: The heads were joined without exchanging the two axes back.


def split_heads(x, n_head):
    batch, time, width = x.shape
    return x.reshape(batch, time, n_head, width // n_head).swapaxes(1, 2)


def join_heads(y):
    batch, n_head, time, size = y.shape
    return y.reshape(batch, time, n_head * size)


def share_heads(k, n_head):
    return k.repeat(n_head // k.shape[1], axis=1)
