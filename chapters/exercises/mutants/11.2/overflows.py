# expect: a gate far below 0 does not overflow
# means: exp of minus the gate overflows for a gate far below 0.
import numpy as np


def swiglu(gate, up):
    open_share = 1 - np.exp(-gate) / (1 + np.exp(-gate))
    activated = gate * open_share
    y = activated * up

    def vjp(g, needs):
        slope = open_share + gate * open_share * (1 - open_share)
        return g * up * slope, g * activated

    return y, vjp
