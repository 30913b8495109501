# expect: large ones are not
# means: The line was delta |r|: so much is missing of delta / 2 that square and line do not meet at |r| = delta.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    e, a, b, alpha, beta = theta
    r = np.abs(np.logaddexp(e, np.logaddexp(a - alpha * log_n, b - beta * log_d)) - log_loss)
    return float(np.where(r <= delta, r**2 / 2, delta * r).sum())
