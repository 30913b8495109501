# expect: but half of the gradient gets to it
# means: The gradient of gate lacks up as a factor.
import numpy as np


def swiglu(gate, up):
    open_share = (1 + np.tanh(gate / 2)) / 2
    activated = gate * open_share
    y = activated * up

    def vjp(g, needs):
        slope = open_share + gate * open_share * (1 - open_share)
        return g * slope, g * activated

    return y, vjp
