# expect: double quantization of blocks of 64
# means: The last scale is shared by 256 blocks, not by 256 weights.
def scale_bits(block_size=64, double=True):
    return 8 / block_size + 32 / 256 if double else 32 / block_size
