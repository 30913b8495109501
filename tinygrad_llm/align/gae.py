"""How much better than expected a token was: generalized advantage estimation.

Source: Schulman et al., "High-Dimensional Continuous Control Using Generalized Advantage Estimation", 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, ShapeError


def gae(
    rewards: Any, values: Any, mask: Any, *, gamma: float = 1.0, lam: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Advantages A, and returns A + V, of the tokens of answers, one a row; 0 elsewhere.  (B, T) each -> (B, T) each

        delta_t = r_t + gamma V_(t+1) - V_t,    A_t = sum_k (gamma lam)^k delta_(t+k)                (eq. 16)

    rewards  r_t, for token t.
    values   V_t, what was expected before token t was written. Behind an answer's last token it is 0: nothing comes.
    mask     where the tokens of answers are; the next token is the next one there, whatever stands between.
    gamma    what a reward is worth one token earlier.
    lam      0 trusts the values, 1 the rewards alone: between them is a choice between bias and variance.

    Raises ShapeError for arrays of different shapes, ArgumentError for a gamma or lam outside [0, 1].
    """
    for name, share in (("gamma", gamma), ("lam", lam)):
        if not 0 <= share <= 1:
            raise ArgumentError(name, "a number from 0 to 1", share)
    rewards, values = np.asarray(rewards, np.float64), np.asarray(values, np.float64)
    mask = np.asarray(mask, bool)
    if mask.ndim != 2:
        raise ShapeError("mask", "(B, T)", mask.shape)
    for name, array in (("rewards", rewards), ("values", values)):
        if array.shape != mask.shape:
            raise ShapeError(name, f"the mask's shape {mask.shape}", array.shape)
    advantages = np.zeros(mask.shape)
    next_value, next_advantage = np.zeros(len(mask)), np.zeros(len(mask))
    for t in reversed(range(mask.shape[1])):
        here = mask[:, t]
        delta = rewards[:, t] + gamma * next_value - values[:, t]
        advantages[:, t] = np.where(here, delta + gamma * lam * next_advantage, 0)
        next_value = np.where(here, values[:, t], next_value)
        next_advantage = np.where(here, advantages[:, t], next_advantage)
    return advantages, np.where(mask, advantages + values, 0)


def whitened(x: Any, mask: Any, eps: float = 1e-8) -> np.ndarray:
    """x with mean 0 and variance 1 where the mask is true, 0 elsewhere.  (B, T), (B, T) -> (B, T)"""
    x, mask = np.asarray(x, np.float64), np.asarray(mask, bool)
    if x.shape != mask.shape or not mask.any():
        raise ShapeError("mask", f"that of x, {x.shape}, true somewhere", f"{mask.shape}, {int(mask.sum())} times true")
    return np.where(mask, (x - x[mask].mean()) / np.sqrt(x[mask].var() + eps), 0)
