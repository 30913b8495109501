# expect: double quantization of blocks of 64
# means: `double` is not asked.
def scale_bits(block_size=64, double=True):
    return 32 / block_size


def qlora_bytes(matrices, rest, rank, bits):
    packed = sum(outputs * inputs for outputs, inputs in matrices)
    learned = sum(rank * (outputs + inputs) for outputs, inputs in matrices)
    return packed * bits / 8 + 2 * rest + learned * (2 + 2 + 8)
