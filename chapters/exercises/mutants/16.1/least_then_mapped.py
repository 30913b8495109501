# expect: each order has its own first
# means: The least of the old numbers was mapped: each order has another first one, so map all before taking the least.
def signature(hashes, a, b):
    return hashes.min() * a + b
