# expect: the slower of the two decides
# means: The two times were added, as if one waited for the other.
def work(n, i, o, itemsize=4):
    return 2 * n * i * o, itemsize * (n * i + o * i + n * o)


def floor(n, i, o, rate, bandwidth, itemsize=4):
    operations, moved = work(n, i, o, itemsize)
    return operations / rate + moved / bandwidth


def waits_for_memory(n, i, o, rate, bandwidth, itemsize=4):
    operations, moved = work(n, i, o, itemsize)
    return moved / bandwidth > operations / rate
