"""The best of n: of several texts that were written, the one that a scorer likes most, and what choosing so does.

    texts = best_written(model, prompts, 8, 40, Sampler(), rng, scorer=lambda prompt, answer: …)

`align` learns from what was chosen; here nothing is learned. Source: Stiennon et al., "Learning to Summarize from Human
Feedback", 2020; Nakano et al., "WebGPT", 2021; with a verifier as scorer: Cobbe et al., "Training Verifiers to Solve
Math Word Problems", 2021.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.generate import Generated, Sampler, generate
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.ranges import check_whole

Ids = Sequence[int]
Scorer = Callable[[Ids, Ids], float]
"""From the ids of a prompt and of an answer to how good that is, the more the better."""


def best_of_n(rewards: Any, n: int) -> np.ndarray:
    """The row with the largest reward of each n side by side, the first of equals.  (B,) -> (B / n,) rows"""
    groups = groups_of(rewards, n)
    return groups.argmax(1) + n * np.arange(len(groups))


def best_allowed(rewards: Any, allowed: Any, n: int) -> np.ndarray:
    """Of each n side by side the row with the largest reward among those allowed; -1 where none is.  (B,) -> (B / n,)

    allowed  (B,) booleans, such as a filter gives: LaMDA drops what a classifier calls unsafe, and ranks the rest.

    Raises ShapeError and ArgumentError, as `best_of_n`.  Source: Thoppilan et al., "LaMDA", 2022, section 6.1.
    """
    groups, allowed = groups_of(rewards, n), np.asarray(allowed)
    if allowed.shape != (groups.size,) or allowed.dtype != bool:
        raise ShapeError("allowed", f"(B,) = ({groups.size},) booleans", f"{allowed.shape} of {allowed.dtype}")
    allowed = allowed.reshape(groups.shape)
    worth = np.where(allowed, groups, -np.inf)
    first = (allowed & (worth == worth.max(1, keepdims=True))).argmax(1)  # also where an allowed one is worth -inf
    return np.where(allowed.any(1), first + n * np.arange(len(groups)), -1)


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


def groups_of(rewards: Any, n: int) -> np.ndarray:
    """Rewards of n side by side in rows, (B,) -> (B / n, n).  Raises ShapeError, and ArgumentError for a NaN."""
    check_whole(n=n)
    rewards = np.asarray(rewards, np.float64)
    if rewards.ndim != 1 or not rewards.size or rewards.size % n:
        raise ShapeError("rewards", f"(B,), B a multiple of n = {n}", rewards.shape)
    if np.isnan(rewards).any():
        raise ArgumentError("rewards", "numbers", "NaN")
    return rewards.reshape(-1, n)


@dataclass(frozen=True)
class Ranked:
    """candidate, and its score; place is where it stood before."""

    candidate: Any
    score: float
    place: int


def rerank(candidates: Sequence[Any], scorer: Callable[[Any], float], k: int | None = None) -> list[Ranked]:
    """The candidates by their scores, the best first; equals keep their order. With `k`, the first k of them.

    Raises ArgumentError for a score that is NaN, and a k below 1.
    """
    check_whole(k=1 if k is None else k)
    scores = [float(scorer(candidate)) for candidate in candidates]
    if bad := [place for place, score in enumerate(scores) if math.isnan(score)]:
        raise ArgumentError("scorer", "a number for each candidate", f"NaN for number {bad[0]}")
    order = sorted(range(len(scores)), key=lambda i: -scores[i])[:k]
    return [Ranked(candidates[i], scores[i], i) for i in order]


def best_written(
    model: LanguageModel,
    prompts: Sequence[Ids],
    n: int,
    count: int,
    sampler: Sampler,
    rng: np.random.Generator,
    *,
    scorer: Scorer,
    **stops: Any,
) -> Generated:
    """Of n answers to each prompt the best by the scorer, the first drawn of equals; see `generate` for the rest.

    Raises ArgumentError for an n below 1, no prompts, and a score that is NaN; else as `generate`.
    """
    check_whole(n=n)
    if not len(prompts):
        raise ArgumentError("prompts", "at least one", "none")
    asked = [prompt for prompt in prompts for _ in range(n)]
    written = generate(model, asked, count, sampler, rng, **stops)
    chosen = best_of_n([scorer(prompt, answer) for prompt, answer in zip(asked, written.tokens)], n)
    return Generated(
        [written.tokens[i] for i in chosen], [written.log_probs[i] for i in chosen],
        [written.stopped[i] for i in chosen],
    )  # fmt: skip
