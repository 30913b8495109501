"""Short texts side by side in one row, each of which sees itself alone: no place is spent on padding.

A text of N tokens takes N - 1 places, whose targets are the N - 1 that come next. Its positions begin at 0, and the
mask lets nothing through between texts, so that loss and gradients are those of the texts in rows of their own.

Source: Krell et al., "Efficient Sequence Packing without Cross-contamination", 2021.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygrad_llm.datasets.batches import Batch
from tinygrad_llm.datasets.pairs import padded
from tinygrad_llm.errors import DataError
from tinygrad_llm.ops import IGNORE
from tinygrad_llm.ranges import check_whole

Example = tuple[np.ndarray, np.ndarray]
"""Token ids (N,), and which of them are learned, (N,) booleans: `ChatTemplate.encode` gives one."""


def shifted(example: Example) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of one text, ops.IGNORE where the next token is not learned.  -> (N - 1,), (N - 1,)"""
    ids, learned = (np.asarray(part) for part in example)
    return ids[:-1], np.where(learned[1:], ids[1:], IGNORE)


def padded_batch(examples: Sequence[Example], pad: int) -> Batch:
    """A text a row, filled up behind with `pad`, whose targets are ignored.  -> "tokens", "targets" (B, T)"""
    tokens, targets = zip(*map(shifted, examples))
    return {"tokens": padded(tokens, pad), "targets": padded(targets, IGNORE)}


def pack(examples: Sequence[Example], block_size: int, pad: int) -> Batch:
    """Texts in rows of block_size places, each in the first row that has room for it, the longest texts first.

    -> "tokens", "targets", "positions" (B, T) and "mask" (B, 1, T, T), true where a place may see another. What is left
    of a row is `pad`, with targets that are ignored.

    Raises DataError for a text that is longer than a row, and for one without a token to predict.
    """
    check_whole(block_size=block_size)
    parts = [shifted(example) for example in examples]
    for number, (tokens, _) in enumerate(parts):
        if not 0 < len(tokens) <= block_size:
            expected = f"2 to block_size + 1 = {block_size + 1} tokens"
            raise DataError(f"example {number}", expected, len(tokens) + 1, "Cut it, or use longer rows.")
    rows = first_fit([len(tokens) for tokens, _ in parts], block_size)
    shape = len(rows), block_size
    batch = {"tokens": np.full(shape, pad, np.int64), "targets": np.full(shape, IGNORE, np.int64)}
    batch["positions"], texts = np.zeros(shape, np.int64), np.full(shape, -1, np.int64)
    for row, members in enumerate(rows):
        start = 0
        for number in members:
            tokens, targets = parts[number]
            place = row, slice(start, start + len(tokens))
            batch["tokens"][place], batch["targets"][place] = tokens, targets
            batch["positions"][place], texts[place] = np.arange(len(tokens)), number
            start += len(tokens)
    return batch | {"mask": text_mask(texts)}


def text_mask(texts: np.ndarray) -> np.ndarray:
    """Which places hold the same text: true where one may see the other.  (B, T) numbers of texts -> (B, 1, T, T)"""
    return texts[:, None, :, None] == texts[:, None, None, :]


def first_fit(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Numbers of texts by row: each in the first that has room for it, the longest first, of equals the first one."""
    rows: list[list[int]] = []
    room: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        row = next((i for i, free in enumerate(room) if free >= lengths[number]), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(size)
        rows[row].append(number)
        room[row] -= lengths[number]
    return rows
