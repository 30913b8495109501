# expect: exposed wholly
# means: The natural logarithm was taken: bits are of the logarithm to base 2.
import numpy as np


def exposure(log_probs, secret):
    rank = (log_probs >= log_probs[secret]).sum()
    return float(np.log(len(log_probs) / rank))
