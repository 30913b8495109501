# expect: exposed wholly
# means: The bits of the secret itself were returned, -log2 of its probability: exposure asks for its rank alone.
import numpy as np


def exposure(log_probs, secret):
    return float(-log_probs[secret] / np.log(2))
