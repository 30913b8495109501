# expect: two tokens by hand
# means: Each token has its own delta alone: nothing that came later counts.
import numpy as np


def gae(rewards, values, mask, *, gamma=1.0, lam=0.95):
    rewards, values = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
    mask = np.asarray(mask, dtype=bool)
    advantages = np.zeros(rewards.shape)
    _later, value = np.zeros(len(rewards)), np.zeros(len(rewards))
    for t in reversed(range(rewards.shape[1])):
        here = mask[:, t]
        delta = rewards[:, t] + gamma * value - values[:, t]
        advantages[:, t] = np.where(here, delta, 0)
        _later, value = advantages[:, t], np.where(here, values[:, t], 0)
    return advantages, np.where(mask, advantages + values, 0)
