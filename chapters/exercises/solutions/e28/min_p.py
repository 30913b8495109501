"""28.1  Min-p.

From logits (V,) to the shares (V,) that the next word is drawn with.

    temperature     the logits are divided by it, and softmax follows
    min_p           then only those words remain that are at least min_p times as likely as the likeliest one

What remains is scaled to sum to 1. With min_p = 0 all words remain, with 1 the likeliest one, or all that are as likely
as it is. Logits may be large: exp(710) is infinite.
Source: Nguyen et al., "Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM Outputs", 2024.
"""

import numpy as np


def shares(logits, temperature=1.0, min_p=0.0):
    # >>> (V,), which sums to 1
    p = np.exp((logits - logits.max()) / temperature)  # how many times as likely as the likeliest
    p = np.where(p >= min_p, p, 0.0)
    return p / p.sum()
    # <<<
