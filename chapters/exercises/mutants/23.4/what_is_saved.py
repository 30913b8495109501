# expect: double quantization of blocks of 64
# means: This is what double quantization saves; asked for is what the scales still take.
def scale_bits(block_size=64, double=True):
    rest = 8 / block_size + 32 / (256 * block_size)
    return 32 / block_size - rest if double else 32 / block_size
