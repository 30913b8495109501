# expect: what a part says is added
# means: The first entry of what the part's vjp returned was taken: it returns the one gradient itself, and no list.
import math


def residual(x, part, scale=1.0):
    value, part_vjp = part(x)
    y = x + scale * value

    def vjp(g, needs):
        return g + scale * part_vjp(g, needs)[0]

    return y, vjp


def small(n_layer):
    return 1 / math.sqrt(2 * n_layer)
