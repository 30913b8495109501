# expect: what is impossible is no extension
# means: Extensions with ln p of minus infinity were kept.
import numpy as np


def best_extensions(total_N, logp_NV, width):
    sums = (total_N[:, None] + logp_NV).ravel()
    best = np.argsort(-sums, kind="stable")[:width]
    return best // logp_NV.shape[1], best % logp_NV.shape[1], sums[best]
