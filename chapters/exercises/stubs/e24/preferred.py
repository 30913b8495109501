"""24.1  What a reward model learns from a pair.

    preference_loss(chosen, rejected)    (N,), (N,) -> a number, (N,)

`chosen` has the rewards of N answers that were preferred, `rejected` those of the answers beside them. By the model of
Bradley and Terry the first is preferred with probability

    p = sigmoid(chosen - rejected) = 1 / (1 + e^-(chosen - rejected))

The loss is the mean of -ln p. What comes back besides is the loss's gradient with respect to `chosen`: by how much the
loss grows for each unit that a chosen answer's reward grows.

Rewards may be far apart, by thousands either way, and neither number may then be nan or inf. `np.logaddexp(0, x)` is
ln(1 + e^x), whatever x is.
"""

import numpy as np
from tinygrad_llm.course import Todo


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    raise Todo("a number, (N,)")
