# expect: each run is judged by itself
# means: The residuals were added up first: each run costs by itself, and then the costs are added.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    e, a, b, alpha, beta = theta
    r = abs((np.logaddexp(e, np.logaddexp(a - alpha * log_n, b - beta * log_d)) - log_loss).sum())
    return float(r**2 / 2 if r <= delta else delta * (r - delta / 2))
