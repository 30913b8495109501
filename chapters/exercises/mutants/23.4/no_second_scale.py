# expect: double quantization of blocks of 64
# means: The scale that 256 blocks share is left out.
def scale_bits(block_size=64, double=True):
    return 8 / block_size if double else 32 / block_size


def qlora_bytes(matrices, rest, rank, bits):
    packed = sum(outputs * inputs for outputs, inputs in matrices)
    learned = sum(rank * (outputs + inputs) for outputs, inputs in matrices)
    return packed * bits / 8 + 2 * rest + learned * (2 + 2 + 8)
