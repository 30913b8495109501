# expect: small residuals are squared
# means: The losses themselves were subtracted: the residual is between their logarithms.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    e, a, b, alpha, beta = theta
    r = np.abs(np.exp(np.logaddexp(e, np.logaddexp(a - alpha * log_n, b - beta * log_d))) - np.exp(log_loss))
    return float(np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum())
