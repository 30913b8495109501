# expect: one number
# means: Only the multiplications were counted, and not the additions.
def work(n, i, o, itemsize=4):
    return n * i * o, itemsize * (n * i + o * i + n * o)


def floor(n, i, o, rate, bandwidth, itemsize=4):
    operations, moved = work(n, i, o, itemsize)
    return max(operations / rate, moved / bandwidth)


def waits_for_memory(n, i, o, rate, bandwidth, itemsize=4):
    operations, moved = work(n, i, o, itemsize)
    return moved / bandwidth > operations / rate
