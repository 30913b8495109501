# expect: whose number is 0
# means: Token 0 is a token like others; outside of an answer stands -100.
import numpy as np


def token_rewards(batch, scores, kl_coef):
    there = np.asarray(batch["targets"]) > 0
    apart = np.asarray(batch["old_log_probs"]) - np.asarray(batch["reference_log_probs"])
    rewards = np.where(there, -kl_coef * apart, 0.0)
    for row, (here, score) in enumerate(zip(there, scores)):
        rewards[row, np.flatnonzero(here)[-1]] += score
    return rewards
