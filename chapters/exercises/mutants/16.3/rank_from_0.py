# expect: exposed wholly
# means: Ranks were counted from 0: the likeliest has rank 1.
import numpy as np


def exposure(log_probs, secret):
    rank = (log_probs >= log_probs[secret]).sum() - 1
    return float(np.log2(len(log_probs)) - (np.log2(rank) if rank else 0)) + 1
