# expect: what is not packed takes two bytes
# means: What is not packed is left out.
def scale_bits(block_size=64, double=True):
    return 8 / block_size + 32 / (256 * block_size) if double else 32 / block_size


def qlora_bytes(matrices, rest, rank, bits):
    packed = sum(outputs * inputs for outputs, inputs in matrices)
    learned = sum(rank * (outputs + inputs) for outputs, inputs in matrices)
    return packed * bits / 8 + learned * (2 + 2 + 8)
