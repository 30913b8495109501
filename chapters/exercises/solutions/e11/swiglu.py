"""11.2  SwiGLU.

    y = silu(gate) · up        (..., F), (..., F) -> (..., F)
    silu(x) = x · sigmoid(x),  sigmoid(x) = 1 / (1 + exp(-x))

One half of the numbers opens and closes gates for the other. Two arrays go in, so `vjp` returns two gradients, of
gate and of up. The sigmoid must not overflow where x is -1000: write it with tanh, sigmoid(x) = (1 + tanh(x / 2)) /
2. Its slope is sigmoid · (1 - sigmoid). Source: Shazeer, "GLU Variants Improve Transformer", 2020.
"""

import numpy as np


def swiglu(gate, up):
    # >>> the sigmoid of gate, what the gate lets through, and y
    open_share = (1 + np.tanh(gate / 2)) / 2
    activated = gate * open_share
    y = activated * up
    # <<<

    def vjp(g, needs):
        # >>> (dL/dgate, dL/dup); gate stands in silu twice
        slope = open_share + gate * open_share * (1 - open_share)
        return g * up * slope, g * activated
        # <<<

    return y, vjp
