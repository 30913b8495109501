"""Learning from answers that are there: preferences, labels, and a reward model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_llm.align.corpus import Drawn, Source, longest
from tinygrad_llm.align.data import Encoder, Labelled
from tinygrad_llm.align.log_probs import Reference
from tinygrad_llm.align.loss import AlignmentLoss
from tinygrad_llm.align.opened import SCORE, assign_score
from tinygrad_llm.align.preference import PREFERENCES, PreferenceConfig
from tinygrad_llm.align.preference_loss import (
    CHOSEN,
    REJECTED,
    PreferenceLoss,
    part,
    preference_batch,
    unpaired_batch,
    with_reference,
)
from tinygrad_llm.align.reward import RewardLoss, RewardModel, reward_batch
from tinygrad_llm.align.settings import AlignConfig
from tinygrad_llm.align.task import PAD, Task
from tinygrad_llm.autograd import no_grad
from tinygrad_llm.datasets.batches import Batch
from tinygrad_llm.datasets.dialogues import filled
from tinygrad_llm.errors import DataError
from tinygrad_llm.train.checkpoint import Checkpoint
from tinygrad_llm.train.trainer import Contents, Judgement


class Offline(Task):
    """rates  whether it is a model that rates which is trained.
    even   the length to which all rows are filled up on a GPU, whose recorded step wants one shape; else 0.
    """

    def __init__(
        self, config: AlignConfig, policy: Any, encoder: Encoder, examples: Sequence[Any], held: Sequence[Any]
    ) -> None:
        super().__init__(config, policy, encoder, examples, held)
        self.rates = config.method == "reward"
        self.model = RewardModel(policy) if self.rates else policy
        self.loss: AlignmentLoss = RewardLoss(self.model) if self.rates else PreferenceLoss(policy, preference(config))
        self.reference = Reference(policy) if not self.rates and preference(config).reference else None
        self.even = longest([*examples, *held]) if policy.device == "cuda" else 0
        self.least = 2 if config.method == "kto" else 1
        for name, rows in (("data", examples), ("held-out lines", held)):
            if len(rows) < self.least:
                next_step = "Each answer is held against another one."
                raise DataError(name, f"at least {self.least} answers for kto", len(rows), next_step)

    @property
    def source(self) -> Source:
        """batches[n]"""
        return Drawn(self.examples, self.config.batch_size, self.config.seed, self.collate)

    def collate(self, rows: Sequence[Any]) -> Batch:
        """A batch of the loss: with the reference's log-probabilities, and for KTO with its point as it is now."""
        return self._as_it_is_now(self._known(rows))

    def _known(self, rows: Sequence[Any]) -> dict[str, Any]:
        """What does not change while the policy learns."""
        batch: dict[str, Any] = filled(self._batch(rows), min(self.even, self.policy.block_size or self.even))
        if self.reference is not None:
            batch = with_reference(batch, self.reference)
        return batch

    def _as_it_is_now(self, batch: dict[str, Any]) -> Batch:
        return self.loss.with_point(batch) if "desirable" in batch else batch  # type: ignore[attr-defined]

    def _batch(self, rows: Sequence[Any]) -> dict[str, np.ndarray]:
        if isinstance(rows[0], Labelled):
            prompts, answers, desirable = zip(*rows)
            return unpaired_batch(prompts, answers, desirable, PAD, longest=self.policy.block_size)
        prompts, chosen, rejected = zip(*rows)
        return (reward_batch if self.rates else preference_batch)(prompts, chosen, rejected, PAD)

    def state(self) -> Contents:
        """Of a model that rates its row of weights."""
        return {}, {SCORE: {SCORE: self.model.score.numpy()}} if self.rates else {}

    def restore(self, saved: Checkpoint) -> None:
        """Takes it back."""
        if self.rates:
            assign_score(self.model, saved)

    def judge(self) -> Judgement:
        """The loss of the lines held out; in how many pairs the preferred answer is rated higher, equal ones for half;
        and by how much its own log-probability has moved, which may fall while the other's falls further.
        """
        total = divisor = 0.0
        ahead: list[float] = []
        moved: list[float] = []
        for known in self._held_batches:
            batch = self._as_it_is_now(known)
            with no_grad():
                total += self.loss.total(batch).item()
            divisor += self.loss.divisor(batch)
            if "desirable" not in batch:
                chosen, rejected = (self._ratings(batch, name) for name in (CHOSEN, REJECTED))
                ahead += ((1 + np.sign(chosen - rejected)) / 2).tolist()
                moved += chosen.tolist()
        loss = total / divisor
        words = f"held-out loss {loss:.4f}"
        if not ahead:
            return Judgement(loss, {}, words)
        more = {"val_accuracy": float(np.mean(ahead))}
        words += f", the preferred answer ahead in {more['val_accuracy']:.1%} of pairs"
        if isinstance(self.loss, PreferenceLoss) and self.reference is not None:
            more["val_chosen"] = float(np.mean(moved)) / self.loss.config.beta
            unit = "nats a token" if self.loss.config.per_token else "nats"
            words += f", its own log-probability moved by {more['val_chosen']:+.2f} {unit}"
        return Judgement(loss, more, words)

    def _ratings(self, batch: Batch, name: str) -> np.ndarray:
        if isinstance(self.loss, PreferenceLoss):
            return self.loss.rewards(batch, name)
        with no_grad():
            return self.model.scores(part(batch, name)).numpy()

    @cached_property
    def _held_batches(self) -> list[dict[str, Any]]:
        """The reference is asked of them once, not at each evaluation."""
        return [self._known(rows) for rows in self._parts()]

    def _parts(self) -> list[Sequence[Any]]:
        """The lines held out, some at a time; none alone where one is held against another."""
        size = max(self.least, 4 * self.config.batch_size)
        starts = list(range(0, len(self.held), size))
        if len(starts) > 1 and len(self.held) - starts[-1] < self.least:
            del starts[-1]
        parts = [self.held[start:end] for start, end in zip(starts, [*starts[1:], len(self.held)])]
        return parts[: self.config.eval_batches or None]


def preference(config: AlignConfig) -> PreferenceConfig:
    """The member of the family that a configuration names."""
    found = PREFERENCES[config.method]
    return found if config.beta is None else replace(found, beta=config.beta)
