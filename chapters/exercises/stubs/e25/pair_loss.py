"""25.2  The loss of DPO, and of its kin with wrong labels, with its derivative.

    pair_loss(chosen, rejected, beta=0.1, smoothing=0.0)    (B,), (B,) -> a number, (B,)

`chosen` has for each pair ln p - ln ref of the answer that was preferred: by how much its log-probability has grown
since the reference. `rejected` has the same of the other one. With h = beta (chosen - rejected) and s the sigmoid, 1 /
(1 + e^-h), a pair costs

    (1 - smoothing) (-ln s(h)) + smoothing (-ln s(-h))

smoothing = 0 is DPO; otherwise it is cDPO, for which a label is wrong with that probability.

Returned are the mean cost of the pairs, and its derivative with respect to each entry of `chosen`. (That with respect
to `rejected` is the same with the other sign.) The derivative of -ln s(h) is -s(-h), that of -ln s(-h) is s(h).

h may be large in either direction: `np.logaddexp(0, x)` is ln(1 + e^x), and does not overflow.
"""

import numpy as np
from tinygrad_llm.course import Todo


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    raise Todo("the mean cost, and its derivative (B,)")
