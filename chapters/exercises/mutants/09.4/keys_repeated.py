# expect: neighbours share a head of keys
# means: The keys were repeated within their head: it is the heads that are used more than once.
def split_heads(x, n_head):
    batch, time, width = x.shape
    return x.reshape(batch, time, n_head, width // n_head).swapaxes(1, 2)


def join_heads(y):
    batch, n_head, time, size = y.shape
    return y.swapaxes(1, 2).reshape(batch, time, n_head * size)


def share_heads(k, n_head):
    return k.repeat(n_head // k.shape[1], axis=2)
