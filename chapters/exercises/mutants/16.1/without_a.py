# expect: one order
# means: a was forgotten: adding alone hardly changes an order.
def signature(hashes, a, b):
    return (hashes[:, None] + b).min(0)
