# expect: pytorchs gradients
# means: The slope lacks its second term: the sigmoid moves with the gate too.
import numpy as np


def swiglu(gate, up):
    open_share = (1 + np.tanh(gate / 2)) / 2
    activated = gate * open_share
    y = activated * up

    def vjp(g, needs):
        slope = open_share
        return g * up * slope, g * activated

    return y, vjp
