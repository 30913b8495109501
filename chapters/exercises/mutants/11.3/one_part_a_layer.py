# expect: one layer has two parts
# means: One part a layer was counted: a layer has two.
import math


def residual(x, part, scale=1.0):
    value, part_vjp = part(x)
    y = x + scale * value

    def vjp(g, needs):
        return g + scale * part_vjp(g, needs)

    return y, vjp


def small(n_layer):
    return 1 / math.sqrt(n_layer)
