# expect: double quantization of blocks of 64
# means: The other way round: each block has the 8 bits, and 256 blocks share the 32.
def scale_bits(block_size=64, double=True):
    return 32 / block_size + 8 / (256 * block_size) if double else 32 / block_size
