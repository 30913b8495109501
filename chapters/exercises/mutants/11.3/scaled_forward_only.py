# expect: the scale is that of the part both ways
# means: The scale is missing on the way back.
import math


def residual(x, part, scale=1.0):
    value, part_vjp = part(x)
    y = x + scale * value

    def vjp(g, needs):
        return g + part_vjp(g, needs)

    return y, vjp


def small(n_layer):
    return 1 / math.sqrt(2 * n_layer)
