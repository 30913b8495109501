# expect: a scale of 32 bits a block
# means: These are bytes; bits are asked for.
def scale_bits(block_size=64, double=True):
    return 1 / block_size + 4 / (256 * block_size) if double else 4 / block_size


def qlora_bytes(matrices, rest, rank, bits):
    packed = sum(outputs * inputs for outputs, inputs in matrices)
    learned = sum(rank * (outputs + inputs) for outputs, inputs in matrices)
    return packed * bits / 8 + 2 * rest + learned * (2 + 2 + 8)
