# expect: costs nothing
# means: N stands below the line: ln of A / N^alpha is ln A less alpha ln N.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    log_e, log_a, log_b, alpha, beta = theta
    by_n, by_d = log_a + alpha * log_n, log_b + beta * log_d
    r = np.abs(np.logaddexp(log_e, np.logaddexp(by_n, by_d)) - log_loss)
    return float(np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum())
