# expect: one order that changes nothing
# means: Only the first shingle was mapped.
def signature(hashes, a, b):
    return hashes[0] * a + b
