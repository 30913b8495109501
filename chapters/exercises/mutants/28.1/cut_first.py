# expect: the temperature comes first
# means: Words are cut by their shares at temperature 1, and the temperature comes after it.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    p = np.exp(logits - logits.max())
    kept = p >= min_p
    p = np.where(kept, np.exp((logits - logits.max()) / temperature), 0.0)
    return p / p.sum()
