"""12.3  Temperature and top-p.

From logits (V,) to the shares (V,) that the next word is drawn with.

    temperature     the logits are divided by it, and softmax follows
    top_p           then only the most likely words remain: as many as it takes until their shares together are at least
                    top_p, and not one more. What remains is scaled to sum to 1. The most likely word always remains.

Of words equally likely any may go first. Logits may be large: exp(710) is infinite.
Source: Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020.
"""

import numpy as np
from tinygrad_llm.course import Todo


def shares(logits, temperature=1.0, top_p=1.0):
    raise Todo("(V,), which sums to 1")
