# expect: the scale is that of the part both ways
# means: x was scaled too: only the part is.
import math


def residual(x, part, scale=1.0):
    value, part_vjp = part(x)
    y = scale * (x + value)

    def vjp(g, needs):
        return g + scale * part_vjp(g, needs)

    return y, vjp


def small(n_layer):
    return 1 / math.sqrt(2 * n_layer)
