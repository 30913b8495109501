"""11.3  The residual path.

    residual(x, part, scale)    y = x + scale · part(x)
    small(n_layer)              the scale at which all parts of a new model together add as much to the stream as
                                one of them

`part(x)` returns (value, vjp) as every operation does, and `residual` returns such a pair too: so residuals can be
stacked. A layer has two parts, attention and an MLP. When a model is new its parts say nothing about each other, and
then variances add up.
"""

import math


def residual(x, part, scale=1.0):
    # >>> y, and what the way back needs
    value, part_vjp = part(x)
    y = x + scale * value
    # <<<

    def vjp(g, needs):
        # >>> dL/dx: how many ways lead from x to y?
        return g + scale * part_vjp(g, needs)
        # <<<

    return y, vjp


def small(n_layer):
    # >>> a number
    return 1 / math.sqrt(2 * n_layer)
    # <<<
