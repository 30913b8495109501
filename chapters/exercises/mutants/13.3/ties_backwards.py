# expect: of equals the earlier beginning
# means: Of equals the later one was taken.
import numpy as np


def best_extensions(total_N, logp_NV, width):
    sums = (total_N[:, None] + logp_NV).ravel()
    best = np.argsort(sums, kind="stable")[::-1][:width]
    best = best[sums[best] > -np.inf]
    return best // logp_NV.shape[1], best % logp_NV.shape[1], sums[best]
