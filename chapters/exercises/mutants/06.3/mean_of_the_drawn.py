# expect: who knows nothing pays ln 2 for each
# means: The loss of the drawn words was averaged, and not summed.
import numpy as np


def skip_gram(w, c, n):
    real, drawn = w @ c, n @ w

    def vjp(g, needs):
        error = -np.exp(-np.logaddexp(0, real))
        errors = np.exp(-np.logaddexp(0, -drawn)) / len(n)
        return g * (error * c + errors @ n), g * error * w, g * errors[:, None] * w

    return np.logaddexp(0, -real) + np.logaddexp(0, drawn).mean(), vjp
