"""Batches of tokens. Batch number n is a pure function of the seed and n: to resume is to go on counting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError, StorageError, TokenError, reason
from tinygrad_llm.ranges import check_whole

Batch = dict[str, np.ndarray]
"""Arrays by name with one leading axis, the examples: "tokens" and "targets", (B, T) int64, a target being the token
that comes next."""


def write_tokens(path: str | Path, ids: np.ndarray) -> None:
    """Token ids (N,) as a .npy file of the smaller of uint16 and uint32 that holds them.

    Raises ArgumentError for what are no whole numbers on one axis, TokenError for one that no uint32 is.
    """
    ids = np.asarray(ids)
    check_token_ids(ids, 1 << 32)
    dtype = np.uint16 if not len(ids) or int(ids.max()) < 1 << 16 else np.uint32
    try:
        with open(path, "wb") as file:
            np.save(file, ids.astype(dtype), allow_pickle=False)
    except OSError as error:
        raise StorageError(str(path), "a place that can be written", reason(error)) from error


def read_tokens(path: str | Path) -> np.ndarray:
    """Token ids, memory-mapped: only what a batch asks for is read."""
    try:
        ids = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(str(path), "a .npy file of token ids", reason(error)) from error
    if not isinstance(ids, np.ndarray) or ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise DataError(
            str(path), "one axis of whole numbers", f"{getattr(ids, 'shape', '')} {getattr(ids, 'dtype', '')}"
        )
    return ids


def check_token_ids(ids: np.ndarray, vocab_size: int) -> None:
    """Raises TokenError that names the first id outside [0, vocab_size) and its place, ArgumentError for other arrays
    than of whole numbers on one axis."""
    if ids.ndim != 1 or (len(ids) and ids.dtype.kind not in "iu"):
        raise ArgumentError("token ids", "one axis of whole numbers", f"{ids.shape} {ids.dtype}")
    bad = np.flatnonzero((ids < 0) | (ids >= vocab_size))
    if len(bad):
        got = f"{int(ids[bad[0]])} at position {int(bad[0])}"
        raise TokenError("token id", f"0 to {vocab_size - 1}", got, "Does the tokenizer belong to this model?")


class Batches:
    """batches[n]: windows of `tokens` at random places, drawn for this n alone.

    A window is block_size inputs and the same shifted by one as targets. Places are drawn with replacement, uniformly.
    """

    def __init__(self, tokens: np.ndarray, *, block_size: int, batch_size: int, seed: int) -> None:
        check_whole(block_size=block_size, batch_size=batch_size)
        if len(tokens) < block_size + 1:
            next_step = "Use a longer text or a smaller --block-size."
            raise DataError("text", f"at least block_size + 1 = {block_size + 1} tokens", len(tokens), next_step)
        self.tokens, self.block_size, self.batch_size, self.seed = tokens, block_size, batch_size, seed

    @property
    def row_tokens(self) -> float:
        """How many tokens a row has."""
        return self.block_size

    def __getitem__(self, n: int) -> Batch:
        rng = np.random.default_rng((self.seed, n))
        starts = rng.integers(0, len(self.tokens) - self.block_size, self.batch_size)
        windows = np.asarray(self.tokens[starts[:, None] + np.arange(self.block_size + 1)], np.int64)
        return {"tokens": np.ascontiguousarray(windows[:, :-1]), "targets": np.ascontiguousarray(windows[:, 1:])}


class Epochs:
    """rows(n): which of `count` examples the n-th batch has, each epoch in a new order; a pure function of the seed and
    n. An epoch goes on within a batch where the one before has ended.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        check_whole(batch_size=batch_size)
        if not count:
            raise DataError("data", "at least one example", "none")
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self.order: tuple[int, np.ndarray] = -1, np.zeros(0, np.int64)

    def rows(self, n: int) -> list[int]:
        """Numbers from 0 to count - 1, batch_size of them."""
        places = range(n * self.batch_size, (n + 1) * self.batch_size)
        return [int(self._epoch(i // self.count)[i % self.count]) for i in places]

    def _epoch(self, number: int) -> np.ndarray:
        """The order of one pass over all."""
        if self.order[0] != number:
            self.order = number, np.random.default_rng((self.seed, number)).permutation(self.count)
        return self.order[1]


def sequential(tokens: np.ndarray, block_size: int, batch_size: int, limit: int | None = None) -> Iterator[Batch]:
    """The whole text in order, each token but the first a target exactly once; what does not fill a window comes last.

    `limit` is the most batches: then as many, evenly spread.
    """
    check_whole(block_size=block_size, batch_size=batch_size)
    check_whole(0, limit=0 if limit is None else limit)
    count = len(tokens) - 1
    if count < 1:
        raise DataError("text", "at least 2 tokens", len(tokens), "Use a longer text.")
    rows = count // block_size
    groups = [range(i, min(i + batch_size, rows)) for i in range(0, rows, batch_size)]
    if limit is not None and len(groups) > limit:
        groups = [groups[i * len(groups) // limit] for i in range(limit)]
    for group in groups:
        start, stop = group.start * block_size, group.stop * block_size
        part = np.asarray(tokens[start : stop + 1], np.int64)
        yield {"tokens": part[:-1].reshape(-1, block_size), "targets": part[1:].reshape(-1, block_size)}
    if limit is None or len(groups) < limit:
        rest = np.asarray(tokens[rows * block_size :], np.int64)
        if len(rest) > 1:
            yield {"tokens": rest[None, :-1], "targets": rest[None, 1:]}
