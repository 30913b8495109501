# expect: what is far less likely than the likeliest goes
# means: The logits of what was cut were set to 0, and exp(0) is a share: what is cut has the logit -inf.
import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    z = (logits - logits.max()) / temperature
    z = np.where(np.exp(z) >= min_p, z, 0.0)
    p = np.exp(z - z.max())
    return p / p.sum()
