# expect: what came before counts
# means: The beginnings' own ln p was not added.
import numpy as np


def best_extensions(total_N, logp_NV, width):
    sums = logp_NV.ravel()
    best = np.argsort(-sums, kind="stable")[:width]
    best = best[sums[best] > -np.inf]
    return best // logp_NV.shape[1], best % logp_NV.shape[1], sums[best]
