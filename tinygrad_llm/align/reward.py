"""A reward model: what people preferred, as one number a text.

    reward = RewardModel(decoder)
    loss = RewardLoss(reward)
    fit(loss, AdamW(reward.named_parameters()), batches, divisor=loss.divisor)     # of reward_batch
    scores = reward.rewards(prompts, answers)

Sources: Bradley and Terry, "Rank Analysis of Incomplete Block Designs", 1952; Stiennon et al., "Learning to summarize
from human feedback", 2020; Ouyang et al., "Training language models to follow instructions with human feedback", 2022.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.align.log_probs import constant, examples_of
from tinygrad_llm.align.loss import AlignmentLoss
from tinygrad_llm.align.preference_loss import CHOSEN, REJECTED, Ids, named, part
from tinygrad_llm.align.scalar import ScalarModel
from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.backend import namespace
from tinygrad_llm.datasets.pairs import padded
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.models.base import Batch
from tinygrad_llm.nn import Rng
from tinygrad_llm.train.step import examples


def text_batch(prompts: Ids, answers: Ids, pad: int = 0) -> dict[str, np.ndarray]:
    """Whole texts, filled up behind; raises as `examples_of`.  -> "tokens" (B, T), "lengths" (B,) in tokens"""
    texts = [ids for ids, _ in examples_of(prompts, answers)]
    return {"tokens": padded(texts, pad), "lengths": np.array([len(text) for text in texts])}


def reward_batch(prompts: Ids, chosen: Ids, rejected: Ids, pad: int = 0) -> dict[str, np.ndarray]:
    """-> "chosen_tokens" (B, T), "chosen_lengths" (B,), "rejected_tokens" (B, S), "rejected_lengths" (B,)"""
    return named({CHOSEN: text_batch(prompts, chosen, pad), REJECTED: text_batch(prompts, rejected, pad)})


class RewardModel(ScalarModel):
    """r(x, y): the number at the last token of prompt and answer, which has seen them whole."""

    def scores(self, batch: Batch, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """r of each text.  -> (B,)

        batch  "tokens" (B, T), "lengths" (B,): the last token that counts is at place length - 1, whatever padding is,
               behind or before: what is before needs a "mask" and "positions", too.
        """
        tokens, lengths = batch["tokens"], batch["lengths"]
        if lengths.shape != tokens.shape[:1]:
            raise ShapeError("lengths", f"(B,) = ({len(tokens)},)", lengths.shape)
        numbers, places = self(batch, rng=rng, dtype=dtype), namespace(lengths).arange(tokens.shape[1])
        return (numbers * constant(places == lengths[:, None] - 1, numbers)).sum(1)  # no index: a GPU can record it

    def rewards(self, prompts: Ids, answers: Ids) -> np.ndarray:
        """r of each answer to its prompt, without gradient.  -> (B,)"""
        with no_grad():
            return self.scores(text_batch(prompts, answers)).numpy()


class RewardLoss(AlignmentLoss):
    """The mean over pairs of -ln s(r(chosen) - r(rejected) - margin) + centring (r(chosen) + r(rejected))^2.

    s is the sigmoid: that the one beats the other with probability s(r - r') is the model of Bradley and Terry. It only
    knows differences; a small `centring` pulls the rewards to 0 (Eisenstein et al., "Helping or Herding?", 2023).

    batch  of `reward_batch`; with "margin" (B,) where some preferences are known to be stronger (Touvron et al.,
           "Llama 2", 2023).
    """

    def __init__(self, model: RewardModel, *, centring: float = 0.0) -> None:
        if not 0 <= centring < math.inf:
            raise ArgumentError("centring", "a number of at least 0", centring)
        self.model, self.centring = model, centring

    def divisor(self, batch: Batch) -> float:
        """How many pairs there are."""
        return examples(batch)

    def total(self, batch: Batch, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """See AlignmentLoss."""
        chosen, rejected = (self.model.scores(part(batch, name), rng=rng, dtype=dtype) for name in (CHOSEN, REJECTED))
        difference = chosen - rejected
        if "margin" in batch:
            difference = difference - constant(batch["margin"], difference)
        total = -ops.log_sigmoid(difference).sum()
        return total + ((chosen + rejected) ** 2).sum() * self.centring if self.centring else total
