# expect: double quantization of blocks of 64
# means: The scale that 256 blocks share has 32 bits.
def scale_bits(block_size=64, double=True):
    return 8 / block_size + 8 / (256 * block_size) if double else 32 / block_size
