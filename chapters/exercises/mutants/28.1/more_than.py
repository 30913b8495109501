# expect: exactly as likely as the bound is enough
# means: A word that is exactly min_p times as likely was cut: it is likely enough.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    p = np.exp((logits - logits.max()) / temperature)
    p = np.where((p > min_p) | (min_p == 0), p, 0.0)
    return p / p.sum() if p.any() else p
