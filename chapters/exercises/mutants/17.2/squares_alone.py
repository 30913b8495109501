# expect: large ones are not
# means: Every residual was squared: beyond delta the cost is a line.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    e, a, b, alpha, beta = theta
    r = np.logaddexp(e, np.logaddexp(a - alpha * log_n, b - beta * log_d)) - log_loss
    return float((r**2 / 2).sum())
