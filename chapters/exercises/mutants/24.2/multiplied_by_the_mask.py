# expect: not even read
# means: A product with the mask reads what stands outside of an answer: 0 times nan is nan.
import numpy as np


def token_rewards(batch, scores, kl_coef):
    there = np.asarray(batch["targets"]) != -100
    apart = np.asarray(batch["old_log_probs"]) - np.asarray(batch["reference_log_probs"])
    rewards = -kl_coef * apart * there
    for row, (here, score) in enumerate(zip(there, scores)):
        rewards[row, np.flatnonzero(here)[-1]] += score
    return rewards
