# expect: a scale of 32 bits a block
# means: The size of a block is not used.
def scale_bits(block_size=64, double=True):
    return 8 / 64 + 32 / (256 * 64) if double else 32 / 64
