# expect: each run has its own largest term
# means: One maximum was taken off for all runs: where a run's own terms lie far below, exp leaves nothing.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    log_e, log_a, log_b, alpha, beta = theta
    terms = np.stack([np.full(log_n.shape, log_e), log_a - alpha * log_n, log_b - beta * log_d])
    top = terms.max()
    r = np.abs(top + np.log(np.exp(terms - top).sum(0)) - log_loss)
    return float(np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum())
