# expect: one order
# means: The shingle that comes first was returned by its old number: the signature is of the new ones.
def signature(hashes, a, b):
    return hashes[(hashes[:, None] * a + b).argmin(0)]
