# expect: a scale of 32 bits a block
# means: The four bits of the code are counted, too; the scales alone are asked for.
def scale_bits(block_size=64, double=True):
    return 4 + (8 / block_size + 32 / (256 * block_size) if double else 32 / block_size)
