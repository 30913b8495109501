"""13.3  A step of the beam.

A beam holds N beginnings, all of one length. `total_N[i]` is ln p of beginning i, and `logp_NV[i, v]` is ln p of the
word v after it. The probability of the longer text is the product, so its logarithm is the sum.

`best_extensions(total_N, logp_NV, width)` returns the `width` most probable texts that are one word longer, as three
arrays (W,): which beginning, which word, and the new ln p. The most probable comes first; of equals the one with the
earlier beginning, then the smaller word. What is impossible, ln p = -inf, is no extension: then W is smaller than
`width`.
"""

import numpy as np


def best_extensions(total_N, logp_NV, width):
    # >>> three arrays
    sums = (total_N[:, None] + logp_NV).ravel()
    best = np.argsort(-sums, kind="stable")[:width]
    best = best[sums[best] > -np.inf]
    return best // logp_NV.shape[1], best % logp_NV.shape[1], sums[best]
    # <<<
