"""Choosing among what was written: no gradient, or training on what was chosen.

written = rollout(policy, prompts, 16, Sampler(), rng, group_size=8, pad=pad)
chosen = best_of_n(reward(written), 8)                    # one row a prompt
batch = chosen_batch(written, chosen, pad)                # for model.loss: the policy learns what was chosen

Choosing itself, and what it does to a distribution, is `prompt.best_of_n`; here stands what learns from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_llm.align.log_probs import answer_batch
from tinygrad_llm.align.rollout import Rollout
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.prompt.best_of_n import groups_of


def rejection_sampling(rewards: Any, beta: float, rng: np.random.Generator, *, n: int | None = None) -> np.ndarray:
    """Which draws are kept, so that those are draws from p(y) e^(r(y) / beta) / Z.  (B,) -> (B,) booleans

    A draw is kept with probability e^((r - m) / beta), m the largest reward: of its n side by side, of all where None.
    What is kept follows the distribution that RLHF with this beta looks for, as far as the largest reward that there is
    was drawn; the best of each n is always kept.

    Source: Liu et al., "Statistical Rejection Sampling Improves Preference Optimization", 2024, section 3.3.
    """
    if not 0 < beta < math.inf:
        raise ArgumentError("beta", "a number above 0", beta)
    groups = groups_of(rewards, np.size(rewards) if n is None else n)
    uniform = rng.random(groups.shape)
    return (uniform < np.exp((groups - groups.max(1, keepdims=True)) / beta)).reshape(-1)


def best_and_worst(rewards: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows with the largest and the smallest reward of each n side by side, where these differ: pairs for DPO."""
    groups = groups_of(rewards, n)
    first = n * np.arange(len(groups))
    differ = groups.max(1) > groups.min(1)
    return (groups.argmax(1) + first)[differ], (groups.argmin(1) + first)[differ]


def chosen_batch(written: Rollout, rows: Sequence[int] | np.ndarray, pad: int) -> dict[str, np.ndarray]:
    """Some rows of what was written, to be learned as they stand.  rows: numbers, or booleans.  -> "tokens", "targets"

    Raises ArgumentError where none is chosen.
    """
    places = np.arange(len(written.answers))[np.asarray(rows)]
    if not len(places):
        raise ArgumentError("rows", "at least one", "none", "Write more, or ask for less.")
    return answer_batch([written.prompts[i] for i in places], [written.answers[i] for i in places], pad)
