# expect: changed argument
# means: `log_probs` was sorted in place: the caller's array is another one now.
import numpy as np


def exposure(log_probs, secret):
    own = log_probs[secret]
    log_probs.sort()
    return float(np.log2(len(log_probs) / (log_probs >= own).sum()))
