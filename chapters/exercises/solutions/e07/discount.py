"""07.3  Take a little from those who have.

For one context: counts (V,), how often each token followed it; shorter (V,), the probabilities that the shorter
context gives; D, the discount, between 0 and 1.

    p(w) = ( max(counts[w] - D, 0) + D T shorter[w] ) / N        N: all that followed; T: how many different tokens did

Return p, shape (V,). A context that nothing followed has nothing to say: then p is `shorter`.
"""

import numpy as np


def discounted(counts, shorter, D):
    # >>> (V,), which sums to 1
    total = counts.sum()
    if total == 0:
        return shorter
    saved = D * (counts > 0).sum()
    return (np.maximum(counts - D, 0) + saved * shorter) / total
    # <<<
