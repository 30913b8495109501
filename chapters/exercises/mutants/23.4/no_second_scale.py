# expect: double quantization of blocks of 64
# means: The scale that 256 blocks share is left out.
def scale_bits(block_size=64, double=True):
    return 8 / block_size if double else 32 / block_size
