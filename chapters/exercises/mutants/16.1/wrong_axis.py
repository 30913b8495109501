# expect: each order has its own first
# means: The least was taken over the orders, one a shingle: it is one an order, over the shingles.
def signature(hashes, a, b):
    return (hashes[:, None] * a + b).min(1)
