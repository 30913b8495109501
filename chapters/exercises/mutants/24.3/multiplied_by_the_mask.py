# expect: not even read
# means: A product with the mask reads what stands outside of an answer: 0 times nan is nan.
import numpy as np


def gae(rewards, values, mask, *, gamma=1.0, lam=0.95):
    rewards, values = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
    mask = np.asarray(mask, dtype=bool)
    advantages = np.zeros(rewards.shape)
    later, value = np.zeros(len(rewards)), np.zeros(len(rewards))
    for t in reversed(range(rewards.shape[1])):
        here = mask[:, t]
        delta = rewards[:, t] + gamma * value - values[:, t]
        advantages[:, t] = here * (delta + gamma * lam * later)
        later, value = advantages[:, t], here * values[:, t]
    return advantages, np.where(mask, advantages + values, 0)
