# expect: you got
# means: Row and word were computed with the number of beginnings, and not with that of words.
import numpy as np


def best_extensions(total_N, logp_NV, width):
    sums = (total_N[:, None] + logp_NV).ravel()
    best = np.argsort(-sums, kind="stable")[:width]
    best = best[sums[best] > -np.inf]
    return best % logp_NV.shape[0], best // logp_NV.shape[0], sums[best]
