# expect: the likeliest words
# means: They are the right ones, in the order of their places, and not from likely to unlikely.
import numpy as np


def best_extensions(total_N, logp_NV, width):
    sums = (total_N[:, None] + logp_NV).ravel()
    best = np.argsort(-sums, kind="stable")[:width]
    best = np.sort(best)[::-1]
    best = best[sums[best] > -np.inf]
    return best // logp_NV.shape[1], best % logp_NV.shape[1], sums[best]
