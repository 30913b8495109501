# expect: the temperature comes first
# means: The logits were multiplied by the temperature.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    p = np.exp((logits - logits.max()) * temperature)
    p = np.where(p >= min_p, p, 0.0)
    return p / p.sum()
