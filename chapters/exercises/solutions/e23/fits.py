"""23.4  What fits a card?

A base of four bits takes more than four bits a weight, since each block has a scale. First, bits a weight for the
scales alone:

    scale_bits(block_size, double)    -> a number

    double False: each block of `block_size` weights has a scale of 32 bits
    double True:  it has one of 8 bits, and 256 blocks share one more, of 32 bits

Then, the bytes of a step of QLoRA, without activations:

    qlora_bytes(matrices, rest, rank, bits)    -> a number

    matrices  [(O, I), …], all that are packed; beside each stands LoRA, A (r, I) and B (O, r)
    rest      how many numbers are not packed: two bytes each, not trained
    rank      r
    bits      a weight of the matrices takes, its scales among them

LoRA's numbers take two bytes each, their gradients two more, and AdamW's two moments four each.
"""


def scale_bits(block_size=64, double=True):
    # >>> who shares what
    return 8 / block_size + 32 / (256 * block_size) if double else 32 / block_size
    # <<<


def qlora_bytes(matrices, rest, rank, bits):
    # >>> what is packed, what is not, and what is learned
    packed = sum(outputs * inputs for outputs, inputs in matrices)
    learned = sum(rank * (outputs + inputs) for outputs, inputs in matrices)
    return packed * bits / 8 + 2 * rest + learned * (2 + 2 + 8)
    # <<<
