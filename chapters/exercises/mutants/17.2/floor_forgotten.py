# expect: costs nothing
# means: E was left out: it is the third term under the logarithm.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    _, a, b, alpha, beta = theta
    r = np.abs(np.logaddexp(a - alpha * log_n, b - beta * log_d) - log_loss)
    return float(np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum())
