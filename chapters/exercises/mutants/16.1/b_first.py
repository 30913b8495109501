# expect: one order
# means: b was added before the product: it is a x + b, and not a (x + b).
def signature(hashes, a, b):
    return ((hashes[:, None] + b) * a).min(0)
