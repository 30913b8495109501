# expect: double quantization of blocks of 64
# means: `double` is not asked.
def scale_bits(block_size=64, double=True):
    return 32 / block_size
