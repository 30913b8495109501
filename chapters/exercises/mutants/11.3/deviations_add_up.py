# expect: one layer has two parts
# means: The deviations of the parts were added up: it is their variances that add up.


def residual(x, part, scale=1.0):
    value, part_vjp = part(x)
    y = x + scale * value

    def vjp(g, needs):
        return g + scale * part_vjp(g, needs)

    return y, vjp


def small(n_layer):
    return 1 / (2 * n_layer)
