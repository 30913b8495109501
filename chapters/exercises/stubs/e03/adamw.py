"""03.2  AdamW.

    m <- b1 m + (1 - b1) g              the usual gradient
    v <- b2 v + (1 - b2) g²             its usual square
    m̂ = m / (1 - b1^t),  v̂ = v / (1 - b2^t)       both began at 0 and are too small at first; t counts from 1
    w <- w - lr m̂ / (sqrt(v̂) + eps) - lr decay w   the decay acts on the weight itself, beside the step

`adamw_step` returns the new w, m and v. Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.
"""

import numpy as np
from tinygrad_llm.course import Todo


def adamw_step(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8, decay=0.01):
    raise Todo("(new w, new m, new v)")
