# expect: behind the last token nothing is expected
# means: The mask is not asked: what stands outside of an answer is taken for more tokens of it.
import numpy as np


def gae(rewards, values, mask, *, gamma=1.0, lam=0.95):
    rewards, values = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
    mask = np.asarray(mask, dtype=bool)
    advantages = np.zeros(rewards.shape)
    later, value = np.zeros(len(rewards)), np.zeros(len(rewards))
    for t in reversed(range(rewards.shape[1])):
        delta = rewards[:, t] + gamma * value - values[:, t]
        advantages[:, t] = delta + gamma * lam * later
        later, value = advantages[:, t], values[:, t]
    return advantages, np.where(mask, advantages + values, 0)
