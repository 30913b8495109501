"""The policy writes: answers to prompts, with all that learning from them needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_llm.align.log_probs import Reference, answer_batch, answer_mask
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.ranges import check_whole


@dataclass(frozen=True)
class Rollout:
    """What was written, a row an answer; answers to one prompt stand side by side.

    prompts  the ids of each row's prompt.
    answers  the ids of each answer; a stop id that ended it is its last.
    stopped  (B,) whether it ended by itself, and was not cut off.
    batch    "tokens", "targets", "old_log_probs" (B, T): ln p of each token under the policy that wrote it, as it was
             drawn; with a reference "reference_log_probs" (B, T).
    """

    prompts: list[list[int]]
    answers: list[list[int]]
    stopped: np.ndarray
    batch: dict[str, np.ndarray]


def rollout(
    model: LanguageModel,
    prompts: Sequence[Sequence[int]],
    count: int,
    sampler: Sampler,
    rng: np.random.Generator,
    *,
    pad: int,
    group_size: int = 1,
    stop_ids: Sequence[int] = (),
    reference: Reference | None = None,
) -> Rollout:
    """`group_size` answers to each prompt, of at most `count` tokens each, all written at once, with a cache.

    pad  fills up the rows of the batch; it is not looked at, and may be any id.

    The log-probabilities are the model's own at temperature 1, whatever the sampler does: a policy gradient is that of
    what was drawn, so it wants `Sampler()`.

    Raises ArgumentError for a count below 1, and where a prompt and its answer may not fit into the model's block: a
    text that is cropped while it is written was not written by p(answer | prompt).
    """
    check_whole(count=count, group_size=group_size)
    rows = [[int(token) for token in prompt] for prompt in prompts for _ in range(group_size)]
    longest = max(map(len, rows), default=0) + count - 1
    if model.block_size is not None and longest > model.block_size:
        expected = f"at most block_size = {model.block_size}"
        raise ArgumentError("prompt and answer", expected, longest, "Take shorter prompts, or a smaller count.")
    written = generate(model, rows, count, sampler, rng, stop_ids=stop_ids)
    batch = answer_batch(rows, written.tokens, pad)
    old = np.zeros(batch["tokens"].shape)
    old[answer_mask(batch)] = np.concatenate(written.log_probs)
    batch["old_log_probs"] = old
    if reference is not None:
        batch["reference_log_probs"] = reference.token_log_probs(batch)
    return Rollout(rows, written.tokens, np.array(written.stopped), batch)
