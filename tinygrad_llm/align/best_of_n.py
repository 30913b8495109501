"""Choosing among what was written: no gradient, or training on what was chosen.

written = rollout(policy, prompts, 16, Sampler(), rng, group_size=8, pad=pad)
chosen = best_of_n(reward(written), 8)                    # one row a prompt
batch = chosen_batch(written, chosen, pad)                # for model.loss: the policy learns what was chosen
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_llm.align.log_probs import answer_batch
from tinygrad_llm.align.rollout import Rollout
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.ranges import check_whole


def best_of_n(rewards: Any, n: int) -> np.ndarray:
    """The row with the largest reward of each n side by side, the first of equals.  (B,) -> (B / n,) rows"""
    groups = _groups(rewards, n)
    return groups.argmax(1) + n * np.arange(len(groups))


def best_of_n_kl(n: int) -> float:
    """ln n - (n - 1) / n: the KL of the best of n draws to a single draw, in nats; less where draws may be equal.

    Sources: Stiennon et al., "Learning to summarize from human feedback", 2020, appendix G; that it is a bound: Beirami
    et al., "Theoretical guarantees on the best-of-n alignment policy", 2024.
    """
    check_whole(n=n)
    return math.log(n) - (n - 1) / n


def best_of_n_probabilities(probabilities: Any, rewards: Any, n: int) -> np.ndarray:
    """How probable each answer is to be chosen from n draws, where all can be listed.  (C,), (C,) -> (C,)

    The best of n is worth at most r with probability F(r)^n, F(r) being that of a single draw. Answers of one reward
    share that in proportion to their own probabilities, for the first drawn of them is chosen.
    """
    check_whole(n=n)
    p, r = np.asarray(probabilities, np.float64), np.asarray(rewards, np.float64)
    if p.ndim != 1 or p.shape != r.shape or not p.size:
        raise ShapeError("rewards", f"(C,) = {p.shape}, one an answer", r.shape)
    if (p < 0).any() or not math.isclose(p.sum(), 1, rel_tol=1e-6):
        raise ArgumentError("probabilities", "a distribution", f"a sum of {p.sum():g}, the least {p.min():g}")
    levels, level = np.unique(r, return_inverse=True)
    at = np.bincount(level, p, len(levels))
    up_to = at.cumsum() / at.sum()
    chosen = up_to**n - np.concatenate([[0.0], up_to[:-1]]) ** n
    return np.divide(p, at[level], out=np.zeros_like(p), where=p > 0) * chosen[level]


def expected_best(rewards: Any, n: int) -> float:
    """The mean reward of the best of n, from N >= n rewards of single draws, without bias.  (N,) -> a number

    The mean over all choices of n of them: the i-th smallest is the best of C(i - 1, n - 1) of the C(N, n).
    """
    check_whole(n=n)
    ordered = np.sort(np.asarray(rewards, np.float64))
    if ordered.ndim != 1 or len(ordered) < n:
        raise ShapeError("rewards", f"(N,), N at least n = {n}", ordered.shape)
    whole = math.comb(len(ordered), n)
    return float(sum(math.comb(i, n - 1) / whole * r for i, r in enumerate(ordered)))


def rejection_sampling(rewards: Any, beta: float, rng: np.random.Generator, *, n: int | None = None) -> np.ndarray:
    """Which draws are kept, so that those are draws from p(y) e^(r(y) / beta) / Z.  (B,) -> (B,) booleans

    A draw is kept with probability e^((r - m) / beta), m the largest reward: of its n side by side, of all where None.
    What is kept follows the distribution that RLHF with this beta looks for, as far as the largest reward that there is
    was drawn; the best of each n is always kept.

    Source: Liu et al., "Statistical Rejection Sampling Improves Preference Optimization", 2024, section 3.3.
    """
    if not 0 < beta < math.inf:
        raise ArgumentError("beta", "a number above 0", beta)
    groups = _groups(rewards, np.size(rewards) if n is None else n)
    uniform = rng.random(groups.shape)
    return (uniform < np.exp((groups - groups.max(1, keepdims=True)) / beta)).reshape(-1)


def best_and_worst(rewards: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows with the largest and the smallest reward of each n side by side, where these differ: pairs for DPO."""
    groups = _groups(rewards, n)
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


def _groups(rewards: Any, n: int) -> np.ndarray:
    """(B / n, n).  Raises ShapeError, and ArgumentError for a NaN."""
    check_whole(n=n)
    rewards = np.asarray(rewards, np.float64)
    if rewards.ndim != 1 or not rewards.size or rewards.size % n:
        raise ShapeError("rewards", f"(B,), B a multiple of n = {n}", rewards.shape)
    if np.isnan(rewards).any():
        raise ArgumentError("rewards", "numbers", "NaN")
    return rewards.reshape(-1, n)
