# expect: a tie is no knowledge
# means: Of candidates that are as likely as the secret it was put first: they stand before it.
import numpy as np


def exposure(log_probs, secret):
    rank = (log_probs > log_probs[secret]).sum() + 1
    return float(np.log2(len(log_probs) / rank))
