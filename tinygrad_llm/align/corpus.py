"""What stands where a `Corpus` stands, for a trainer whose batches are pairs, labels, or what the model writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from tinygrad_llm.datasets.batches import Batch
from tinygrad_llm.datasets.epochs import Epochs
from tinygrad_llm.tokenizer.base import Tokenizer


class Source(Protocol):
    """batches[n], as a trainer takes them; row_tokens is how many tokens a row has, about."""

    row_tokens: float

    def __getitem__(self, n: int) -> Batch: ...


@dataclass(frozen=True)
class Lines:
    """Encoded lines: those to learn from, and those held out; and whatever makes batches of them: its `source`."""

    tokenizer: Tokenizer
    examples: Sequence[Any]
    held: Sequence[Any]
    task: Any = None

    @cached_property
    def train(self) -> np.ndarray:
        """All ids to learn from in a row: by them a resumed run knows its data."""
        return _row(self.examples)

    @cached_property
    def val(self) -> np.ndarray:
        """The same of those held out."""
        return _row(self.held)

    def batches(self, config: Any) -> Source:
        """batches[n]"""
        source: Source = self.task.source
        return source


def _row(examples: Sequence[Any]) -> np.ndarray:
    """Of each example its ids, labels and texts as numbers."""
    found: list[int] = []
    for example in examples:
        for part in example:
            if isinstance(part, str):
                found += part.encode()
            elif isinstance(part, list) and part and isinstance(part[0], int):
                found += part
            elif isinstance(part, bool):
                found.append(part)
    return np.array(found, np.int64)


class Drawn:
    """batches[n] of `batch_size` examples, each epoch in a new order: what `collate` makes of them."""

    def __init__(
        self, examples: Sequence[Any], batch_size: int, seed: int, collate: Callable[[Sequence[Any]], Batch]
    ) -> None:
        self.examples, self.epochs, self.collate = examples, Epochs(len(examples), batch_size, seed), collate
        self.row_tokens = float(np.mean([sum(len(ids) for ids in _texts(example)) for example in examples]))

    def __getitem__(self, n: int) -> Batch:
        return self.collate([self.examples[row] for row in self.epochs.rows(n)])


def _texts(example: Any) -> list[list[int]]:
    """prompt and answer of each answer."""
    prompt, *answers = [part for part in example if isinstance(part, list)]
    return [prompt + answer for answer in answers]


def longest(examples: Sequence[Any]) -> int:
    """How many tokens any prompt with any answer has at most."""
    parts = [[len(ids) for ids in example if isinstance(ids, list)] for example in examples]
    return max(prompt for prompt, *_ in parts) + max(max(answers) for _, *answers in parts)
