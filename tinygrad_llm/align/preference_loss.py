"""The loss of a preference, for pairs of answers and for answers that are only called good or bad.

loss = PreferenceLoss(policy, PREFERENCES["dpo"])
batches = [with_reference(preference_batch(prompts, chosen, rejected, pad), Reference(policy)) for …]
fit(loss, optimizer, batches, divisor=loss.divisor)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_llm.align.log_probs import Reference, answer_batch, answer_lengths, answer_log_probs, constant
from tinygrad_llm.align.loss import AlignmentLoss
from tinygrad_llm.align.preference import PreferenceConfig
from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.models.base import Batch, LanguageModel
from tinygrad_llm.nn import Rng
from tinygrad_llm.train.step import examples

Ids = Sequence[Sequence[int]]
"""Token ids, a text a row."""
CHOSEN, REJECTED, MISMATCHED = PARTS = ("chosen_", "rejected_", "mismatched_")
"""Before the names of arrays that are about one of several answers in a row."""


def preference_batch(prompts: Ids, chosen: Ids, rejected: Ids, pad: int) -> dict[str, np.ndarray]:
    """A prompt with the answer that was preferred and the other, a row each.

    -> "chosen_tokens", "chosen_targets" (B, T); "rejected_tokens", "rejected_targets" (B, S). See `answer_batch`.
    """
    return named({CHOSEN: answer_batch(prompts, chosen, pad), REJECTED: answer_batch(prompts, rejected, pad)})


def unpaired_batch(
    prompts: Ids, answers: Ids, desirable: Sequence[bool], pad: int, *, longest: int | None = None
) -> dict[str, np.ndarray]:
    """A prompt with an answer that somebody wanted, or did not.

    -> "tokens", "targets" (B, T), "desirable" (B,) booleans, and "mismatched_tokens", "mismatched_targets" (B, S): each
    prompt with the next row's answer, of which `PreferenceLoss.with_point` makes KTO's reference point. Shuffle the
    rows first, so that the next one is about something else. Of a mismatched answer only so much is taken that a text
    has at most `longest` tokens.

    Raises ArgumentError for fewer than two rows, and for another number of labels.
    """
    if len(answers) < 2 or len(desirable) != len(answers):
        got = f"{len(answers)} answers and {len(desirable)} labels"
        raise ArgumentError("desirable", "one label an answer, for at least two answers", got)
    others = [*answers[1:], answers[0]]
    if longest is not None:
        others = [answer[: max(1, longest - len(prompt))] for prompt, answer in zip(prompts, others)]
    mismatched = answer_batch(prompts, others, pad)
    both = named({"": answer_batch(prompts, answers, pad), MISMATCHED: mismatched})
    return {**both, "desirable": np.asarray(desirable, bool)}


def named(batches: Mapping[str, Batch]) -> dict[str, Any]:
    """Several answers' arrays as one batch, each with its part's name before its own: what `part` takes apart."""
    return {before + name: array for before, batch in batches.items() for name, array in batch.items()}


def part(batch: Batch, before: str) -> dict[str, Any]:
    """The arrays of one answer, by their own names; before = "" is the whole batch."""
    return {name.removeprefix(before): array for name, array in batch.items() if name.startswith(before)}


def with_reference(batch: Mapping[str, Any], reference: Reference) -> dict[str, Any]:
    """The batch with ln p of its answers under the reference: "reference" (B,), "chosen_reference" and so on.

    These are numbers: the reference is asked once, before training, and may be let go of then.
    """
    whole = [before for before in ("", *PARTS) if f"{before}tokens" in batch]
    return {**batch} | {f"{before}reference": reference.answer_log_probs(part(batch, before)) for before in whole}


class PreferenceLoss(AlignmentLoss):
    """The mean of config.cost over pairs, or over answers one by one; which of them, the batch says.

    pairs    d = d(chosen) - d(rejected), of a `preference_batch`.
    singles  d = d(y) - z for an answer that is wanted, z - d(y) for one that is not, times their weights, of an
             `unpaired_batch` with a "point" z.
    d(y) is ln p(y) - ln ref(y), where the config has a reference, of the batch's "reference" (see `with_reference`).

    The gradient is the policy's alone; everything else is numbers of the batch.
    """

    def __init__(self, model: LanguageModel, config: PreferenceConfig) -> None:
        self.model, self.config = model, config

    def divisor(self, batch: Batch) -> float:
        """How many pairs there are, or answers."""
        return examples(batch)

    def total(self, batch: Batch, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """See AlignmentLoss.  Raises ArgumentError for a batch without what the config asks for."""
        if f"{CHOSEN}tokens" in batch:
            chosen, rejected = (self.log_ratios(part(batch, name), rng=rng, dtype=dtype) for name in (CHOSEN, REJECTED))
            return self.config.cost(chosen - rejected).sum()
        if missing := [name for name in ("desirable", "point") if name not in batch]:
            next_step = "Make it with unpaired_batch, and before each step loss.with_point(batch)."
            raise ArgumentError("batch", "pairs, or answers with labels and a reference point", missing, next_step)
        difference = self.log_ratios(batch, rng=rng, dtype=dtype)
        difference = difference - constant(batch["point"], difference)
        wanted = constant(batch["desirable"], difference)  # 1 or 0
        weight = wanted * self.config.desirable + (1 - wanted) * self.config.undesirable
        return (self.config.cost(difference * (2 * wanted - 1)) * weight).sum()

    def log_ratios(self, answers: Batch, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """d of each answer.  -> (B,)"""
        found = answer_log_probs(self.model, answers, per_token=self.config.per_token, rng=rng, dtype=dtype)
        if not self.config.reference:
            return found
        if "reference" not in answers:
            next_step = "Add it: with_reference(batch, Reference(model))."
            raise ArgumentError("batch", "ln p of the answers under the reference", "none", next_step)
        reference = constant(answers["reference"], found)
        return found - (reference / constant(answer_lengths(answers), found) if self.config.per_token else reference)

    def rewards(self, batch: Batch, before: str = "") -> np.ndarray:
        """The policy's implicit rewards, beta d, of one answer a row: "chosen_", "rejected_".  -> (B,)"""
        with no_grad():
            return self.log_ratios(part(batch, before)).numpy() * self.config.beta

    def with_point(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """The batch with KTO's reference point, "point" (B,), the same number in each row.

        z = max(0, mean over rows of d(another row's answer)), an estimate of the policy's KL to the reference; it moves
        with the policy, so it is made anew before each step:

            fit(loss, optimizer, map(loss.with_point, batches), divisor=loss.divisor)
        """
        with no_grad():
            found = self.log_ratios(part(batch, MISMATCHED)).numpy()
        return {**batch, "point": np.full(len(found), max(0.0, float(found.mean())))}
