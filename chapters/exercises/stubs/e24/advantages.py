"""24.3  Better than expected, token by token.

    gae(rewards, values, mask, *, gamma=1.0, lam=0.95)    (B, T) each -> (B, T), (B, T)

Row i is an answer; `mask` is True where its tokens are. `values` says what was expected to come from each token on,
before it was written. Token t was better than expected by

    delta_t = r_t + gamma V_(t+1) - V_t

and what came of it later counts too, the less the further away it is:

    A_t = delta_t + gamma lam A_(t+1)

Behind an answer's last token, V and A are 0. Go from the back. (Tokens of an answer stand side by side here.)

What comes back is A, and the returns A + V, which the value model is to learn. Both are 0 where the mask is False,
whatever `rewards` and `values` have there: it may be nan, and 0 times nan is nan, so leave it out by `np.where` or an
index, not by a factor.
"""

import numpy as np
from tinygrad_llm.course import Todo


def gae(rewards, values, mask, *, gamma=1.0, lam=0.95):
    rewards, values = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
    mask = np.asarray(mask, dtype=bool)
    advantages = np.zeros(rewards.shape)
    later, value = np.zeros(len(rewards)), np.zeros(len(rewards))
    for t in reversed(range(rewards.shape[1])):
        here = mask[:, t]
        raise Todo("A of column t, and what the column before it needs")
    return advantages, np.where(mask, advantages + values, 0)
