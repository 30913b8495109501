# expect: alpha goes with parameters
# means: ln N and ln D were exchanged: the A-term falls with N, and the B-term with D.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    log_e, log_a, log_b, alpha, beta = theta
    by_n, by_d = log_a - alpha * log_d, log_b - beta * log_n
    r = np.abs(np.logaddexp(log_e, np.logaddexp(by_n, by_d)) - log_loss)
    return float(np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum())
