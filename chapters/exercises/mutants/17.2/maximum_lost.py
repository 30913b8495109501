# expect: alpha goes with parameters
# means: The largest term was taken off, and not added again outside of the logarithm.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    log_e, log_a, log_b, alpha, beta = theta
    terms = np.stack([np.full(log_n.shape, log_e), log_a - alpha * log_n, log_b - beta * log_d])
    top = terms.max(0)
    r = np.abs(np.log(np.exp(terms - top).sum(0)) - log_loss)
    return float(np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum())
