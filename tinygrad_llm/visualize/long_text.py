"""What a long text looks like from its last word: attention added up over blocks, a strip a model.

A weight a token makes a page as long as the text. Added up over blocks, a hundred cells tell where in a million tokens
the attention is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize.chart import shade
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure

WIDTH, LEFT, RIGHT, TOP, STRIP, FRAME = 760, 170, 20, 84, 34, "#cf5b16"
MOST_BLOCKS = 96


def in_blocks(weights: np.ndarray, most: int = MOST_BLOCKS) -> np.ndarray:
    """Sums over blocks of neighbours, all of one length but the last, as few as make at most `most`.  (…, S) -> (…, M)

    Raises ArgumentError for no blocks, or no weights.
    """
    weights = np.asarray(weights)
    if most < 1 or weights.ndim < 1 or not weights.shape[-1]:
        raise ArgumentError("most", "at least one block, of at least one weight", (most, weights.shape))
    length = math.ceil(weights.shape[-1] / most)
    return np.add.reduceat(weights, np.arange(0, weights.shape[-1], length), axis=-1)


def attention_strips(
    weights: Mapping[str, np.ndarray],
    *,
    title: str,
    subtitle: str = "",
    marked: int | None = None,
    most: int = MOST_BLOCKS,
) -> Figure:
    """A strip a name: its attention weights (S,) in at most `most` blocks, the darker the more; all from one text.

    marked  a token: the block where it stands has a frame, and at the end of each strip stands that block's share.

    Raises ArgumentError for nothing, for weights of texts of different lengths, and for a token that is not there.
    """
    strips = {name: np.asarray(w, float) for name, w in weights.items()}
    sizes = {w.shape for w in strips.values()}
    if len(sizes) != 1 or len(size := next(iter(sizes))) != 1:
        raise ArgumentError("weights", "at least one strip, all of one length", [w.shape for w in strips.values()])
    if marked is not None and not 0 <= marked < size[0]:
        raise ArgumentError("marked", f"a token of the {size[0]}", marked)
    blocks = {name: in_blocks(w, most) for name, w in strips.items()}
    count, length = len(next(iter(blocks.values()))), math.ceil(size[0] / most)
    at = None if marked is None else marked // length
    right = RIGHT if at is None else RIGHT + 40
    cell = (WIDTH - LEFT - right) / count
    told = "; ".join(f"{name}: most in block {b.argmax() + 1} of {count}, {b.max():.2f}" for name, b in blocks.items())
    figure = Figure(WIDTH, TOP + (STRIP + 8) * len(blocks) + 30, title, told)
    figure.text((16, 26), title, INK, 16, weight=600)
    figure.text((16, 44), subtitle, PALE_INK, 12)
    if at is not None:
        figure.text((LEFT + cell * (at + 0.5), TOP - 8), "here it stands", FRAME, 12, anchor="middle", weight=600)
    for row, (name, shares) in enumerate(blocks.items()):
        y = TOP + (STRIP + 8) * row
        figure.text((LEFT - 10, y + STRIP / 2 + 4), name, INK, 13, anchor="end")
        for number, share in enumerate(shares):
            figure.rect((LEFT + cell * number, y), max(1.0, cell - 1), STRIP, shade(float(share)))
        if at is not None:
            figure.rect((LEFT + cell * at - 1, y - 1), cell + 1, STRIP + 2, "none", edge=FRAME)
            figure.text((WIDTH - right + 8, y + STRIP / 2 + 4), f"{shares[at]:.2f}", INK, 13)
    end = TOP + (STRIP + 8) * len(blocks) + 14
    figure.text((LEFT, end), "the first token", PALE_INK, 12)
    figure.text((WIDTH - right, end), f"token {size[0]:,}", PALE_INK, 12, anchor="end")
    return figure
