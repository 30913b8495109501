"""09.4  Cutting a width into heads, and joining them again.

    split_heads(x, n_head)    (B, T, H K) -> (B, H, T, K)      head h has the numbers h K … (h + 1) K of each position
    join_heads(y)             (B, H, T, K) -> (B, T, H K)      the way back

A reshape never moves a number in memory, it only counts differently. The order of axes is another matter.
"""


def split_heads(x, n_head):
    # >>> first cut the last axis, then exchange two axes
    batch, time, width = x.shape
    return x.reshape(batch, time, n_head, width // n_head).swapaxes(1, 2)
    # <<<


def join_heads(y):
    # >>> the same two steps, backwards
    batch, n_head, time, size = y.shape
    return y.swapaxes(1, 2).reshape(batch, time, n_head * size)
    # <<<
