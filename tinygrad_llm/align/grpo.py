"""GRPO: several answers to each prompt, each judged by how much better than the others it is. No value model.

    written = rollout(policy, prompts, 16, Sampler(), rng, group_size=8, pad=pad)
    advantages = group_advantages(reward(written), group_size=8)
    fit(loss, optimizer, [{**written.batch, "advantages": advantages}], divisor=loss.divisor)

Sources: Shao et al., "DeepSeekMath", 2024, eq. 3 and 4; Liu et al., "Understanding R1-Zero-Like Training", 2025 (Dr.
GRPO); Yu et al., "DAPO", 2025.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.align.log_probs import answer_lengths, answer_mask, constant
from tinygrad_llm.align.loss import AlignmentLoss
from tinygrad_llm.align.policy import ESTIMATORS, check_alike, check_clip, clipped_surrogate, kl_estimate
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.models.base import Batch, LanguageModel
from tinygrad_llm.nn import Rng
from tinygrad_llm.ranges import check_whole
from tinygrad_llm.train.step import count_targets, examples

SCALES = ("group", "batch", "none")
NORMALISATIONS = ("sequence", "token", "constant")


def group_advantages(rewards: Any, group_size: int, scale: str = "group", eps: float = 1e-4) -> np.ndarray:
    """A_i = (r_i - mean of the group) / (s + eps).  (B,) -> (B,), rows of a group side by side

    scale  what s is. "group": the group's standard deviation, with N - 1 below it (Shao et al. 2024, and as trl has
           it). "batch": that of all rewards. "none": nothing is divided (Dr. GRPO: else prompts on which nearly all
           answers are right, or wrong, count more than the others, since they have a small s).

    A group of equal rewards has no advantages, and teaches nothing.

    Raises ShapeError for rewards that are not whole groups of at least 2, ArgumentError for ones that are not finite.
    """
    check_whole(2, group_size=group_size)
    if scale not in SCALES:
        raise ArgumentError("scale", f"one of {', '.join(SCALES)}", repr(scale))
    rewards = np.asarray(rewards, np.float64)
    if rewards.ndim != 1 or not rewards.size or rewards.size % group_size:
        raise ShapeError("rewards", f"(B,), B a multiple of group_size = {group_size}", rewards.shape)
    if not np.isfinite(rewards).all():
        raise ArgumentError("rewards", "finite numbers", rewards[~np.isfinite(rewards)][0])
    groups = rewards.reshape(-1, group_size)
    centred = groups - groups.mean(1, keepdims=True)
    if scale == "group":
        centred /= groups.std(1, ddof=1, keepdims=True) + eps
    elif scale == "batch":
        centred /= groups.std(ddof=1) + eps
    return centred.reshape(-1)


@dataclass(frozen=True)
class GRPOConfig:
    """clip_low, clip_high  how far the ratio to the policy that wrote may go: see `clipped_surrogate`.
    kl_coef         what a nat of divergence from the reference costs, a token; 0 needs no reference.
    kl              how it is estimated: see `kl_estimate`.
    normalisation   what a token's loss is divided by, before the sum over all:
                    "sequence": by its answer's length and the number of answers (Shao et al. 2024). In a long answer
                    each token counts less, so a long wrong answer is punished less than a short one.
                    "token": by the number of tokens in the batch (DAPO): all tokens count alike.
                    "constant": by the number of answers and `length`, the same for all (Dr. GRPO).
    length          the longest answer that there may be, for "constant".
    """

    clip_low: float = 0.2
    clip_high: float = 0.2
    kl_coef: float = 0.0
    kl: str = "k3"
    normalisation: str = "sequence"
    length: int | None = None

    def __post_init__(self) -> None:
        check_clip(clip_low=self.clip_low, clip_high=self.clip_high)
        if not 0 <= self.kl_coef < np.inf:
            raise ArgumentError("kl_coef", "a number of at least 0", self.kl_coef)
        if self.kl not in ESTIMATORS:
            raise ArgumentError("kl", f"one of {', '.join(ESTIMATORS)}", repr(self.kl))
        if self.normalisation not in NORMALISATIONS:
            raise ArgumentError("normalisation", f"one of {', '.join(NORMALISATIONS)}", repr(self.normalisation))
        if self.normalisation == "constant":
            check_whole(length=self.length, next_step="It divides every token's loss: say how long an answer may be.")


class GRPOLoss(AlignmentLoss):
    """sum over tokens of -min(r A, clip(r) A) + kl_coef KL(policy || reference), normalised as the config says.

    batch  "tokens", "targets" (B, T) of the answers; "advantages" (B,), one an answer, or (B, T); "old_log_probs"
           (B, T) of the policy that wrote; with a kl_coef "reference_log_probs" (B, T).
    """

    def __init__(self, model: LanguageModel, config: GRPOConfig | None = None) -> None:
        self.model, self.config = model, config or GRPOConfig()

    def divisor(self, batch: Batch) -> float:
        """How many answers, tokens, or answers times `length` there are."""
        if self.config.normalisation == "token":
            return count_targets([batch])
        return examples(batch) * (self.config.length or 1 if self.config.normalisation == "constant" else 1)

    def total(self, batch: Batch, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """See AlignmentLoss."""
        log_probs = self.model.token_log_probs(batch, rng=rng, dtype=dtype)
        losses = policy_losses(log_probs, batch, self.config.clip_low, self.config.clip_high)
        if self.config.kl_coef:
            reference = needed(batch, "reference_log_probs")
            check_alike("reference_log_probs", reference, log_probs)
            kl = kl_estimate(log_probs, constant(reference, log_probs), self.config.kl)
            losses = losses + kl * self.config.kl_coef
        weights = constant(answer_mask(batch), losses)
        if self.config.normalisation == "sequence":
            weights = weights / constant(answer_lengths(batch), losses)[:, None]
        return (losses * weights).sum()


def policy_losses(log_probs: Tensor, batch: Batch, low: float, high: float) -> Tensor:
    """`clipped_surrogate` of what a batch says; a number where no token of an answer is, to be masked.  -> (B, T)"""
    advantages = needed(batch, "advantages")
    advantages = advantages[:, None] if advantages.ndim == 1 else advantages
    return clipped_surrogate(log_probs, needed(batch, "old_log_probs"), advantages, low, high)


def needed(batch: Batch, name: str) -> Any:
    """An array of the batch.  Raises ArgumentError where it has none of that name."""
    if name not in batch:
        raise ArgumentError("batch", f"an array {name}", f"only {', '.join(batch)}")
    return batch[name]
