# expect: and the gradient passes it whole
# means: The gradient lacks the way past the part, on which g stays as it is.
import math


def residual(x, part, scale=1.0):
    value, part_vjp = part(x)
    y = x + scale * value

    def vjp(g, needs):
        return scale * part_vjp(g, needs)

    return y, vjp


def small(n_layer):
    return 1 / math.sqrt(2 * n_layer)
