"""24.2  A price on every token, a reward at the end.

    token_rewards(batch, scores, kl_coef)    -> (B, T)

PPO wants a reward for each token of B answers. The batch is a dict of arrays, (B, T) each:

- "targets": the token that comes next at each place, and -100 wherever no token of the answer comes next;
- "old_log_probs": ln p of that token by the policy that wrote it;
- "reference_log_probs": ln p of it by the network that the policy began as.

Each token of an answer costs kl_coef times the difference of the two, old less reference. The last token of answer i
also gets `scores[i]`, the reward model's number. Where no token of an answer is there is 0, whatever the arrays have
there: it may be nan, and 0 times nan is nan, so leave it out by `np.where` or an index, not by a factor. An answer's
tokens stand side by side, anywhere in its row.
"""

import numpy as np


def token_rewards(batch, scores, kl_coef):
    there = np.asarray(batch["targets"]) != -100
    # >>> (B, T)
    apart = np.asarray(batch["old_log_probs"]) - np.asarray(batch["reference_log_probs"])
    rewards = np.where(there, -kl_coef * apart, 0.0)
    for row, (here, score) in enumerate(zip(there, scores)):
        rewards[row, np.flatnonzero(here)[-1]] += score
    return rewards
    # <<<
