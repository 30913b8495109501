# expect: exposed wholly
# means: R was counted without the secret itself: it is one of the candidates.
import numpy as np


def exposure(log_probs, secret):
    rank = (log_probs >= log_probs[secret]).sum()
    return float(np.log2(max(1e-9, len(log_probs) - 1) / rank))
