"""PPO for language models: a reward at the end of an answer, a price on leaving the reference, and a value model.

    learner = ActorCritic(policy, ScalarModel(copy.deepcopy(policy)))
    loss, price = PPOLoss(learner), AdaptiveKL(0.1, target=2.0)
    written = rollout(policy, prompts, 16, Sampler(), rng, pad=pad, reference=reference)
    batch = ppo_batch(written.batch, rewards, learner.values(written.batch), kl_coef=price.value)
    fit(loss, AdamW(learner.named_parameters()), [batch] * 4, divisor=loss.divisor)
    price.update(answer_kl(written.batch))

Sources: Schulman et al., "Proximal Policy Optimization Algorithms", 2017; Ziegler et al., "Fine-Tuning Language Models
from Human Preferences", 2019; Ouyang et al., "Training language models to follow instructions with human feedback",
2022.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.align.gae import gae, whitened
from tinygrad_llm.align.grpo import needed, policy_losses
from tinygrad_llm.align.log_probs import answer_mask, constant
from tinygrad_llm.align.loss import AlignmentLoss
from tinygrad_llm.align.policy import check_alike, check_clip
from tinygrad_llm.align.scalar import ScalarModel
from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.models.base import Batch, LanguageModel, context
from tinygrad_llm.nn import Module, Rng
from tinygrad_llm.train.step import count_targets


class ActorCritic(Module):
    """A policy, and the value model that says what it may expect; both are learned.

    value  a ScalarModel. With a decoder of its own it costs a forward pass more and disturbs nobody; of the policy
           itself it is one row of weights, and both learn what the states are.
    """

    def __init__(self, policy: LanguageModel, value: ScalarModel) -> None:
        self.policy, self.value = policy, value

    def __call__(self, batch: Batch, *, rng: Rng | None = None, dtype: Any = None) -> tuple[Tensor, Tensor]:
        """ln p of each token of the answers, and the value before it.  -> (B, T), (B, T)"""
        if self.value.decoder is not self.policy:
            return self.policy.token_log_probs(batch, rng=rng, dtype=dtype), self.value(batch, rng=rng, dtype=dtype)
        states = self.policy.hidden(batch["tokens"], rng=rng, dtype=dtype, **context(batch))
        logits = ops.linear(states, *self.policy.head())
        return -ops.cross_entropy(logits, batch["targets"], reduction="none"), self.value.of(states)

    def values(self, batch: Batch) -> np.ndarray:
        """What is expected before each token, without gradient.  -> (B, T)"""
        with no_grad():
            return self.value(batch).numpy()


@dataclass(frozen=True)
class PPOConfig:
    """clip        how far the ratio to the policy that wrote may go: see `clipped_surrogate`.
    value_clip  how far a value may go from what it was when the answers were written.
    value_coef  the weight of the value model's loss.
    """

    clip: float = 0.2
    value_clip: float = 0.2
    value_coef: float = 0.5

    def __post_init__(self) -> None:
        check_clip(clip=self.clip, value_clip=self.value_clip)
        if not 0 <= self.value_coef < math.inf:
            raise ArgumentError("value_coef", "a number of at least 0", self.value_coef)


class PPOLoss(AlignmentLoss):
    """The mean over the answers' tokens of -min(r A, clip(r) A) + value_coef v.

        v = 1/2 max((V - R)^2, (V' - R)^2),  V' = V within value_clip of what it was

    batch  of `ppo_batch`: "tokens", "targets", "old_log_probs", "advantages" A, "returns" R, "old_values", (B, T) each.
    """

    def __init__(self, model: ActorCritic, config: PPOConfig | None = None) -> None:
        self.model, self.config = model, config or PPOConfig()

    def divisor(self, batch: Batch) -> float:
        """How many tokens the answers have."""
        return count_targets([batch])

    def total(self, batch: Batch, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """See AlignmentLoss."""
        log_probs, values = self.model(batch, rng=rng, dtype=dtype)
        losses = policy_losses(log_probs, batch, self.config.clip, self.config.clip)
        of_value = value_losses(values, batch, self.config.value_clip)
        losses = losses + of_value * self.config.value_coef
        return (losses * constant(answer_mask(batch), losses)).sum()


def value_losses(values: Tensor, batch: Batch, value_clip: float) -> Tensor:
    """1/2 max((V - R)^2, (clip(V, old - c, old + c) - R)^2).  -> (B, T)

    The larger of the two: a value that has moved away by more than c has no gradient while it gets nearer to R than it
    was allowed to.
    """
    for name in ("returns", "old_values"):
        check_alike(name, needed(batch, name), values)
    returns, old = (constant(batch[name], values) for name in ("returns", "old_values"))
    near = ops.clip(values - old, -value_clip, value_clip) + old
    return ops.maximum((values - returns) ** 2, (near - returns) ** 2) * 0.5


def token_rewards(batch: Mapping[str, Any], scores: Any, kl_coef: float) -> np.ndarray:
    """r_t = -kl_coef (ln p_old - ln ref) of token t, and at an answer's last token its score besides.  -> (B, T)

    Summed over an answer that is score - kl_coef ln(p_old(y) / ref(y)), whose mean is what the policy is to maximise.

    Raises ShapeError for scores that are not one an answer, ArgumentError for a kl_coef below 0.
    """
    mask, scores = answer_mask(batch), np.asarray(scores, np.float64)
    if scores.shape != mask.shape[:1]:
        raise ShapeError("scores", f"(B,) = ({len(mask)},)", scores.shape)
    if not 0 <= kl_coef < math.inf:
        raise ArgumentError("kl_coef", "a number of at least 0", kl_coef)
    rewards = np.zeros(mask.shape)
    if kl_coef:
        rewards -= kl_coef * np.where(mask, batch["old_log_probs"] - needed(batch, "reference_log_probs"), 0)
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(1)
    rewards[np.arange(len(mask)), last] += scores
    return rewards


def ppo_batch(
    batch: Mapping[str, Any],
    scores: Any,
    values: Any,
    *,
    kl_coef: float = 0.0,
    gamma: float = 1.0,
    lam: float = 0.95,
    whiten: bool = True,
) -> dict[str, Any]:
    """A rollout's batch with "advantages", "returns" and "old_values", (B, T) each.

    scores  (B,), the reward of each answer.
    values  (B, T), of the value model as it is when the answers are written.
    whiten  gives the advantages of the batch mean 0 and variance 1: a step is then as long as its rate says, whatever
            the rewards' size.
    """
    mask = answer_mask(batch)
    rewards = token_rewards(batch, scores, kl_coef)
    advantages, returns = gae(rewards, values, mask, gamma=gamma, lam=lam)
    advantages = whitened(advantages, mask) if whiten else advantages
    return {**batch, "advantages": advantages, "returns": returns, "old_values": np.where(mask, values, 0)}


def answer_kl(batch: Mapping[str, Any]) -> float:
    """The mean over answers of ln(p_old(y) / ref(y)): the policy's KL to the reference, estimated, nats an answer."""
    difference = batch["old_log_probs"] - needed(batch, "reference_log_probs")
    return float(np.where(answer_mask(batch), difference, 0).sum(1).mean())


class AdaptiveKL:
    """A price of KL that finds itself: it rises while the policy is further from the reference than the target.

        e = clip(KL / target - 1, -0.2, 0.2),    value <- value (1 + gain e)

    Source: Ziegler et al. 2019, section 2.2; their K_beta, 0.1, is `gain`.
    """

    def __init__(self, value: float, target: float, gain: float = 0.1) -> None:
        for name, number in (("value", value), ("target", target), ("gain", gain)):
            if not 0 < number < math.inf:
                raise ArgumentError(name, "a number above 0", number)
        self.value, self.target, self.gain = value, target, gain

    def update(self, kl: float) -> float:
        """Takes note of a KL that was measured; returns the new value."""
        error = min(max(kl / self.target - 1, -0.2), 0.2)
        self.value *= 1 + self.gain * error
        return self.value
