# expect: nothing stands outside
# means: What the arrays have where no token of an answer is gets a price, too.
import numpy as np


def token_rewards(batch, scores, kl_coef):
    there = np.asarray(batch["targets"]) != -100
    apart = np.asarray(batch["old_log_probs"]) - np.asarray(batch["reference_log_probs"])
    rewards = -kl_coef * apart
    for row, (here, score) in enumerate(zip(there, scores)):
        rewards[row, np.flatnonzero(here)[-1]] += score
    return rewards
