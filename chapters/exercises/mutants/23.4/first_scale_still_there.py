# expect: double quantization of blocks of 64
# means: The scale of 32 bits is no longer there: 8 bits stand for it.
def scale_bits(block_size=64, double=True):
    return 8 / block_size + 32 / block_size + 32 / (256 * block_size) if double else 32 / block_size
