# expect: overflow
# means: The sigmoid rounds to 0 or 1 for large scores, and its logarithm is infinite.
import numpy as np


def skip_gram(w, c, n):
    real, drawn = 1 / (1 + np.exp(-(w @ c))), 1 / (1 + np.exp(-(n @ w)))

    def vjp(g, needs):
        return g * ((real - 1) * c + drawn @ n), g * (real - 1) * w, g * drawn[:, None] * w

    return -np.log(real) - np.log(1 - drawn).sum(), vjp
