# expect: a price by hand
# means: There is no price: only the scores.
import numpy as np


def token_rewards(batch, scores, kl_coef):
    there = np.asarray(batch["targets"]) != -100
    np.asarray(batch["old_log_probs"]) - np.asarray(batch["reference_log_probs"])
    rewards = np.zeros(there.shape)
    for row, (here, score) in enumerate(zip(there, scores)):
        rewards[row, np.flatnonzero(here)[-1]] += score
    return rewards
