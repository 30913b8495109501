# expect: as pytorch has it
# means: The gradient of w lacks what comes from the drawn words.
import numpy as np


def skip_gram(w, c, n):
    real, drawn = w @ c, n @ w

    def vjp(g, needs):
        error = -np.exp(-np.logaddexp(0, real))
        errors = np.exp(-np.logaddexp(0, -drawn))
        return g * error * c, g * error * w, g * errors[:, None] * w

    return np.logaddexp(0, -real) + np.logaddexp(0, drawn).sum(), vjp
