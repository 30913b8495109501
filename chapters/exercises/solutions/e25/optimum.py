"""25.1  What RLHF looks for.

    best_policy(reference, rewards, beta)    (Y,), (Y,), a number above 0 -> (Y,)

Of one question there are Y possible answers. `reference` has their probabilities before tuning, above 0, together 1.
`rewards` has a number for each. Looked for are the probabilities p, which add up to 1, for which

    sum_y p_y r_y - beta sum_y p_y ln(p_y / reference_y)

is largest: reward, less beta for each nat that the policy has gone away from the reference. Which are they? Begin with
two answers that the reference says equally often. (Chapter 25 derives it for any number of them.)

Rewards may be large, and beta small: e^1000 is infinite already. What may be added to all rewards without any change?
"""

import numpy as np


def best_policy(reference, rewards, beta):
    reference, rewards = (np.asarray(each, dtype=float) for each in (reference, rewards))
    # >>> (Y,)
    raised = reference * np.exp((rewards - rewards.max()) / beta)
    return raised / raised.sum()
    # <<<
