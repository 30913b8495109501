"""06.3  The loss of skip-gram.

One pair from the text, and K words from the hat:

    L = -ln s(w · c) - sum over k of ln s(-w · n[k])         s(x) = 1 / (1 + exp(-x))         w (D,), c (D,), n (K, D)

You return L and its vjp, which returns the gradients of w, c and n in one tuple. Scores may be as large as 1000:
exp(-1000) is 0, exp(1000) is inf, and NumPy should have nothing to warn of. np.logaddexp(0, x) is ln(1 + exp(x))
without that trouble.
"""

import numpy as np


def skip_gram(w, c, n):
    # >>> one number
    real, drawn = w @ c, n @ w
    loss = np.logaddexp(0, -real) + np.logaddexp(0, drawn).sum()
    # <<<

    def vjp(g, needs):
        # >>> (dL/dw, dL/dc, dL/dn): each score's error, times what it was multiplied with
        error = -np.exp(-np.logaddexp(0, real))
        errors = np.exp(-np.logaddexp(0, -drawn))
        return g * (error * c + errors @ n), g * error * w, g * errors[:, None] * w
        # <<<

    return loss, vjp
