# expect: one order that changes nothing
# means: The largest new number of each order was taken: what comes first is the least.
def signature(hashes, a, b):
    return (hashes[:, None] * a + b).max(0)
