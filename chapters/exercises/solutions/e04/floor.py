"""04.1  The floor.

A linear layer computes y = x Wᵀ: x is (N, I), W is (O, I), y is (N, O). Each of the N·O results is I multiplications
and as many additions. Every number has `itemsize` bytes; x and W must come from memory once, and y must go there
once.

    work(N, I, O, itemsize)       the operations, and the bytes: two whole numbers
    floor(…, rate, bandwidth)     the least seconds that it can take, at `rate` operations and `bandwidth` bytes a
                                  second. Both happen at the same time, so the slower of the two decides.
    waits_for_memory(…)           True if the bytes take longer than the operations

With one row, as when a model writes one token after the other, every weight is fetched to be used once. That is why
serving many users at once costs little more than serving one.
"""


def work(n, i, o, itemsize=4):
    # >>> (operations, bytes)
    return 2 * n * i * o, itemsize * (n * i + o * i + n * o)
    # <<<


def floor(n, i, o, rate, bandwidth, itemsize=4):
    # >>> seconds
    operations, moved = work(n, i, o, itemsize)
    return max(operations / rate, moved / bandwidth)
    # <<<


def waits_for_memory(n, i, o, rate, bandwidth, itemsize=4):
    # >>> True or False
    operations, moved = work(n, i, o, itemsize)
    return moved / bandwidth > operations / rate
    # <<<
