# expect: what is far less likely than the likeliest goes
# means: Logits are compared with min_p times the largest logit: it is the shares that are.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    kept = logits >= min_p * logits.max()
    p = np.where(kept, np.exp((logits - logits.max()) / temperature), 0.0)
    return p / p.sum()
