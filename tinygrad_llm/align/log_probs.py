"""How probable an answer is: the one place where that is computed, with padding on whichever side.

A text is a prompt and an answer. In a batch it is what training has everywhere else: "tokens" and "targets", (B, T)
each, the targets being ops.IGNORE wherever no token of the answer comes next. So the answer's tokens, their
log-probabilities and what is said about each of them stand at the places where they are predicted.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.backend import Array, cast, namespace, to_device, to_device_of
from tinygrad_llm.datasets.packing import Example, padded_batch
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune import PeftModel, freeze
from tinygrad_llm.models.base import Batch, LanguageModel
from tinygrad_llm.nn import Rng
from tinygrad_llm.ops import IGNORE


def example(prompt: Sequence[int], answer: Sequence[int]) -> Example:
    """A prompt and its answer as one text, of which the answer is learned.

    Raises ArgumentError for an empty prompt, after which nothing could be predicted, and for an empty answer: how a
    model ends one is a token too, and belongs to it.
    """
    for name, part in (("prompt", prompt), ("answer", answer)):
        if not len(part):
            raise ArgumentError(name, "at least one token", "none")
    ids = np.concatenate([np.asarray(prompt, np.int64), np.asarray(answer, np.int64)])
    return ids, np.arange(len(ids)) >= len(prompt)


def examples_of(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> list[Example]:
    """Each prompt with its answer, see `example`.

    Raises ArgumentError for no rows, for prompts and answers of different number, or with an empty one among them.
    """
    if not len(prompts) or len(prompts) != len(answers):
        raise ArgumentError("answers", "one a prompt, at least one", f"{len(answers)} to {len(prompts)} prompts")
    return [example(prompt, answer) for prompt, answer in zip(prompts, answers)]


def answer_batch(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], pad: int) -> dict[str, np.ndarray]:
    """Prompt and answer a row, filled up behind; raises as `examples_of`.  -> "tokens", "targets" (B, T)"""
    return padded_batch(examples_of(prompts, answers), pad)


def answer_mask(batch: Batch) -> Array:
    """Where a token of the answer is predicted.  (B, T) booleans"""
    return batch["targets"] != IGNORE


def answer_lengths(batch: Batch) -> Array:
    """How many tokens each answer has, at least 1, so that they can be divided by.  (B,) integers"""
    mask = answer_mask(batch)
    return namespace(mask).maximum(mask.sum(1), 1)


def answer_log_probs(
    model: LanguageModel, batch: Batch, *, per_token: bool = False, rng: Rng | None = None, dtype: Any = None
) -> Tensor:
    """ln p(answer | prompt) = sum_t ln p(y_t | x, y_<t), in nats, with gradient.  -> (B,)

    per_token  the mean over the answer's tokens instead of the sum.
    """
    total = model.token_log_probs(batch, rng=rng, dtype=dtype).sum(1)
    return total * constant(1 / answer_lengths(batch), total) if per_token else total


def constant(values: Any, like: Tensor) -> Array:
    """Numbers that come with a batch, as an array where `like` is, and in its float type."""
    return cast(to_device_of(values, like.data), like.dtype)


class Reference:
    """The model as it is now, whatever is learned afterwards: what a policy is held against.

    Of a model with adapters it is the base, the adapters left out, and takes no memory. Of any other model it is a
    copy, all of it frozen.

        reference = Reference(policy)
        reference.token_log_probs(batch)
    """

    def __init__(self, model: LanguageModel) -> None:
        self.model = model if isinstance(model, PeftModel) else copy.deepcopy(model)
        if self.model is not model:
            freeze(self.model)

    def token_log_probs(self, batch: Batch) -> np.ndarray:
        """ln p of each token of the answers, 0 elsewhere; numbers, without gradient.  -> (B, T)"""
        around = self.model.disable_adapter() if isinstance(self.model, PeftModel) else nullcontext()
        with no_grad(), around:
            return to_device(self.model.token_log_probs(batch).data, "cpu")

    def answer_log_probs(self, batch: Batch) -> np.ndarray:
        """ln p of each answer, without gradient.  -> (B,)"""
        return self.token_log_probs(batch).sum(1)
