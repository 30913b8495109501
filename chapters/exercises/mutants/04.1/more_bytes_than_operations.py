# expect: a fast memory is not waited for
# means: Bytes and operations were compared themselves, and not the seconds that they take.
def work(n, i, o, itemsize=4):
    return 2 * n * i * o, itemsize * (n * i + o * i + n * o)


def floor(n, i, o, rate, bandwidth, itemsize=4):
    operations, moved = work(n, i, o, itemsize)
    return max(operations / rate, moved / bandwidth)


def waits_for_memory(n, i, o, rate, bandwidth, itemsize=4):
    operations, moved = work(n, i, o, itemsize)
    return moved > operations
