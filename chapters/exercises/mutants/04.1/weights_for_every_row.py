# expect: two rows share the weights
# means: The weights were fetched anew for every row.
def work(n, i, o, itemsize=4):
    return 2 * n * i * o, itemsize * n * (i + o * i + o)


def floor(n, i, o, rate, bandwidth, itemsize=4):
    operations, moved = work(n, i, o, itemsize)
    return max(operations / rate, moved / bandwidth)


def waits_for_memory(n, i, o, rate, bandwidth, itemsize=4):
    operations, moved = work(n, i, o, itemsize)
    return moved / bandwidth > operations / rate
