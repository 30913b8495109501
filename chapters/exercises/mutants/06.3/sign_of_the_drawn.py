# expect: the real one wants a large score and the others a small one
# means: The drawn words are treated like the real one: their scores are made large.
import numpy as np


def skip_gram(w, c, n):
    real, drawn = w @ c, n @ w

    def vjp(g, needs):
        error = -np.exp(-np.logaddexp(0, real))
        errors = -np.exp(-np.logaddexp(0, drawn))
        return g * (error * c + errors @ n), g * error * w, g * errors[:, None] * w

    return np.logaddexp(0, -real) + np.logaddexp(0, -drawn).sum(), vjp
