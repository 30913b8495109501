# expect: a scale of 32 bits a block
# means: `double` is not asked.
def scale_bits(block_size=64, double=True):
    return 8 / block_size + 32 / (256 * block_size)
