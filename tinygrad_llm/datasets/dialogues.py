"""Dialogues to learn answers from: what a run is given in place of a text."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_llm.backend import check_device
from tinygrad_llm.datasets.batches import Batch
from tinygrad_llm.datasets.epochs import Epochs
from tinygrad_llm.datasets.packing import Example, padded_batch
from tinygrad_llm.errors import DataError
from tinygrad_llm.ops import IGNORE
from tinygrad_llm.tokenizer.base import Tokenizer
from tinygrad_llm.tokenizer.chat import Message


def hold_out(dialogues: Sequence[Sequence[Message]], share: float) -> np.ndarray:
    """Which dialogues are held out, (N,) booleans: about `share` of them, at least one, and not all.

    By a hash of what they say: the same ones in any order, copies of one together, and lines that are added later move
    few of the others.

    Raises DataError where there are not two different ones.
    """
    sums = [hashlib.sha256(json.dumps(list(d), sort_keys=True).encode()).hexdigest() for d in dialogues]
    different = sorted(set(sums))
    if len(different) < 2:
        next_step = "One is learned from, one held out."
        raise DataError("data", "at least two different dialogues", len(different), next_step)
    count = min(max(1, round(share * len(different))), len(different) - 1)
    chosen = set(different[:count])
    return np.array([digest in chosen for digest in sums])


def parted(items: Sequence[Any], dialogues: Sequence[Sequence[Message]], share: float) -> tuple[list[Any], list[Any]]:
    """Items to learn from, and those held out: one for each dialogue, as `hold_out` says of it."""
    is_held = hold_out(dialogues, share)
    learned, held = ([item for item, out in zip(items, is_held) if out == wanted] for wanted in (False, True))
    return learned, held


@dataclass(frozen=True)
class Dialogues:
    """Encoded dialogues, each (ids, learned), see `ChatTemplate.encode`: those to learn from, and those held out.

    It stands where a `Corpus` stands: a trainer asks both for the same.
    """

    tokenizer: Tokenizer
    examples: Sequence[Example]
    held: Sequence[Example]

    @cached_property
    def train(self) -> np.ndarray:
        """All ids to learn from in a row, and of each whether it is learned: 2 id + learned."""
        return _row(self.examples)

    @cached_property
    def val(self) -> np.ndarray:
        """The same of those held out."""
        return _row(self.held)

    @property
    def nats_to_bits_per_byte(self) -> float:
        """What a loss in nats a learned token is multiplied with to be in bits a byte of what was said."""
        ids = [int(token) for ids, learned in self.held for token in np.asarray(ids)[1:][np.asarray(learned)[1:]]]
        return len(ids) / max(1, len(self.tokenizer.decode_bytes(ids))) / math.log(2)

    def batches(self, config: Any) -> DialogueBatches:
        """batches[n], of config.batch_size dialogues; on a GPU all of one shape."""
        on_gpu = check_device(config.device) == "cuda"
        return DialogueBatches(self.examples, config.batch_size, config.seed, one_shape=on_gpu)

    def held_out(self, config: Any) -> list[Batch]:
        """Those held out, in order; `eval_batches` of these batches where that is not 0, the first."""
        size = 4 * config.batch_size
        parts = [self.held[i : i + size] for i in range(0, len(self.held), size)]
        return [padded_batch(part, 0) for part in parts[: config.eval_batches or None]]


def _row(examples: Sequence[Example]) -> np.ndarray:
    parts = [2 * np.asarray(ids, np.int64) + np.asarray(learned) for ids, learned in examples]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


class DialogueBatches:
    """batches[n]: the next batch_size dialogues, each epoch in a new order; a pure function of the seed and n.

    one_shape  every row is as long as the longest of all; else as the longest of its batch.
    """

    def __init__(self, examples: Sequence[Example], batch_size: int, seed: int, *, one_shape: bool = False) -> None:
        self.examples, self.epochs = examples, Epochs(len(examples), batch_size, seed)
        self.longest = max(len(ids) for ids, _ in examples) - 1 if one_shape else 0
        self.row_tokens = sum(len(ids) - 1 for ids, _ in examples) / len(examples)

    def __getitem__(self, n: int) -> Batch:
        return filled(padded_batch([self.examples[row] for row in self.epochs.rows(n)], 0), self.longest)


def filled(batch: Mapping[str, np.ndarray], longest: int) -> dict[str, np.ndarray]:
    """The batch with its rows of tokens and targets filled up behind to that length, where they are shorter."""
    found = dict(batch)
    for name, array in batch.items():
        if name.endswith(("tokens", "targets")):
            room = ((0, 0), (0, max(0, longest - array.shape[1])))
            found[name] = np.pad(array, room, constant_values=IGNORE if name.endswith("targets") else 0)
    return found
