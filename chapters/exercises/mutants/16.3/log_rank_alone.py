# expect: exposed wholly
# means: log2 of the rank was returned: exposure is how far that lies below log2 R.
import numpy as np


def exposure(log_probs, secret):
    return float(np.log2((log_probs >= log_probs[secret]).sum()))
