# expect: exposed wholly
# means: The candidates were sorted from unlikely to likely: the likeliest has rank 1.
import numpy as np


def exposure(log_probs, secret):
    rank = (log_probs <= log_probs[secret]).sum()
    return float(np.log2(len(log_probs) / rank))
