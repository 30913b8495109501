# expect: a scale of 32 bits a block
# means: That is how many weights share a bit; bits a weight are asked for.
def scale_bits(block_size=64, double=True):
    return 8 / block_size + 32 / (256 * block_size) if double else block_size / 32
