"""16.1  The first in each order.

Two pages are compared by their shingles, each a whole number x of 32 bits. A map

    x  ->  (a x + b) mod 2^32        a odd

numbers all of them anew, so that they stand in another order. In each of K such orders, which of the page's comes
first?

`hashes` (N,), `a` and `b` (K,) are arrays of np.uint32, N at least 1. Return the K least new numbers, (K,), as
np.uint32. Two pages have the same number at a place with about the probability of their Jaccard similarity.

Arithmetic of np.uint32 arrays is modulo 2^32 by itself.
"""

import numpy as np


def signature(hashes, a, b):
    # >>> (K,) np.uint32
    return np.array([(x * hashes + y).min() for x, y in zip(a[:, None], b[:, None])], np.uint32)
    # <<<
