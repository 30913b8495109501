"""Parallel texts: sentence pairs from a file, and the arrays that a decoder is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinygrad_llm.datasets.text import read_text
from tinygrad_llm.errors import DataError
from tinygrad_llm.ops import IGNORE


@dataclass(frozen=True)
class Pair:
    """Words of the source, words of the target, and for each word of the target the places of the words it renders."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    alignment: tuple[tuple[int, ...], ...]


def format_pairs(pairs: Sequence[Pair]) -> str:
    """A pair a line: source, target and alignment with tabs between, places of one word joined by commas.

    Raises DataError for a word that would not be read again: an empty one, or one with a space, a tab or a newline.
    """
    lines = []
    for pair in pairs:
        for word in (*pair.source, *pair.target):
            if not word or any(sign in word for sign in " \t\n"):
                raise DataError("word", "at least one character, without space, tab and newline", repr(word))
        places = " ".join(",".join(map(str, found)) for found in pair.alignment)
        lines.append("\t".join([" ".join(pair.source), " ".join(pair.target), places]) + "\n")
    return "".join(lines)


def read_pairs(path: str | Path) -> list[Pair]:
    """The pairs of a file; a line ends at \\n or \\r\\n, and at no other sign, which words may contain.

    Raises DataError, with the line's number, for what `format_pairs` would not give.
    """
    pairs = []
    for number, line in enumerate(read_text(path).removesuffix("\n").split("\n"), 1):
        try:
            source, target, places = (part.split(" ") for part in line.removesuffix("\r").split("\t"))
            alignment = tuple(tuple(int(i) for i in found.split(",")) for found in places)
        except ValueError as error:
            raise DataError(f"{path}:{number}", "source, target and alignment with tabs between", repr(line)) from error
        known = all(0 <= i < len(source) for found in alignment for i in found)
        if len(alignment) != len(target) or not known or "" in source or "" in target:
            raise DataError(f"{path}:{number}", "for each target word places of source words", repr(line))
        pairs.append(Pair(tuple(source), tuple(target), alignment))
    return pairs


def padded(texts: Sequence[Sequence[int] | np.ndarray], fill: int) -> np.ndarray:
    """Texts of token ids in one array, filled up behind with `fill`.  -> (B, T), T the longest."""
    out = np.full((len(texts), max(map(len, texts), default=0)), fill, np.int64)
    for row, text in zip(out, texts):
        row[: len(text)] = text
    return out


def teacher_forcing(texts: Sequence[Sequence[int]], start: int, end: int, pad: int) -> tuple[np.ndarray, np.ndarray]:
    """The inputs of a decoder and its targets.  -> (B, T), (B, T)

    Inputs are start, w1, w2, … and targets w1, w2, …, end: the same text shifted by one, so that each word is predicted
    from the reference words before it, not from the model's own output. Behind the end the input is pad and the target
    ops.IGNORE.
    """
    inputs = padded([[start, *text] for text in texts], pad)
    targets = padded([[*text, end] for text in texts], IGNORE)
    return inputs, targets
