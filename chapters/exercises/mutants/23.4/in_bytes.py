# expect: a scale of 32 bits a block
# means: These are bytes; bits are asked for.
def scale_bits(block_size=64, double=True):
    return 1 / block_size + 4 / (256 * block_size) if double else 4 / block_size
