# expect: one order
# means: b was forgotten.
def signature(hashes, a, b):
    return (hashes[:, None] * a).min(0)
