# expect: a wide open gate multiplies
# means: The gate lets its sigmoid through, and not gate times sigmoid.
import numpy as np


def swiglu(gate, up):
    open_share = (1 + np.tanh(gate / 2)) / 2
    activated = open_share
    y = activated * up

    def vjp(g, needs):
        slope = open_share * (1 - open_share)
        return g * up * slope, g * activated

    return y, vjp
