# expect: from one beginning the likeliest words
# means: Each beginning was extended by one word only, its likeliest.
import numpy as np


def best_extensions(total_N, logp_NV, width):
    words = logp_NV.argmax(1)
    sums = total_N + logp_NV.max(1)
    rows = np.argsort(-sums, kind="stable")[:width]
    return rows, words[rows], sums[rows]
