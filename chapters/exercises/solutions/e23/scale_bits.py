"""23.4  What a scale costs.

A weight of four bits takes more than four bits, since each block of weights has a scale, and somebody has to carry it.
How many bits more does each weight take?

    scale_bits(block_size, double)    -> a number

    double False: each block of `block_size` weights has a scale of 32 bits
    double True:  it has one of 8 bits instead, and 256 blocks share one more, of 32 bits

The four bits of the weight's own code are not counted.
"""


def scale_bits(block_size=64, double=True):
    # >>> who shares what
    return 8 / block_size + 32 / (256 * block_size) if double else 32 / block_size
    # <<<
