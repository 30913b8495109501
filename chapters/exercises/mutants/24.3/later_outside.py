# expect: behind the last token nothing is expected
# means: Where no token is, the advantage of the token to the right is repeated; it should be 0 there.
import numpy as np


def gae(rewards, values, mask, *, gamma=1.0, lam=0.95):
    rewards, values = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
    mask = np.asarray(mask, dtype=bool)
    advantages = np.zeros(rewards.shape)
    later, value = np.zeros(len(rewards)), np.zeros(len(rewards))
    for t in reversed(range(rewards.shape[1])):
        here = mask[:, t]
        delta = rewards[:, t] + gamma * value - values[:, t]
        advantages[:, t] = np.where(here, delta + gamma * lam * later, later)
        later, value = advantages[:, t], np.where(here, values[:, t], 0)
    return advantages, np.where(mask, advantages + values, 0)
