# expect: alpha goes with parameters
# means: alpha went with ln D and beta with ln N: it is the other way round.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    e, a, b, alpha, beta = theta
    r = np.abs(np.logaddexp(e, np.logaddexp(a - beta * log_n, b - alpha * log_d)) - log_loss)
    return float(np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum())
