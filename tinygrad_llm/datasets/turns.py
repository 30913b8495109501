"""Several texts about one picture in one row, none of which sees another.

A picture takes N places of a text, and has to be read again for every question about it. In one row it is read once:

    picture picture … picture   what color is the circle ? red   how many things are there ? two

Each text sees the picture and its own past, and its positions follow those of the picture: so all is as if it stood
there alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygrad_llm.datasets.packing import text_mask
from tinygrad_llm.datasets.pairs import padded
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.ops import IGNORE
from tinygrad_llm.ranges import check_whole

Turn = tuple[Sequence[int], Sequence[int]]
"""What is given of a text, and what is to be learned of it: a question and its answer, or nothing and a caption."""


def picture_rows(
    turns: Sequence[Sequence[Turn]], places: int, *, image_id: int, start_id: int, end_id: int, pad_id: int
) -> dict[str, np.ndarray]:
    """A row a picture: `places` image tokens, then of each of its turns start_id, what is given, what is learned.

    -> "tokens", "targets", "positions" and "segments", (B, T) integers each. Targets are the next tokens where these
    are learned, end_id behind the last of them, and ops.IGNORE elsewhere. Segments say which text a token belongs to: 0
    the picture, 1 the first turn and so on, -1 padding; `visible` makes the mask of them.

    Raises ArgumentError for a turn of which nothing is learned, or no rows at all.
    """
    check_whole(places=places)
    if not turns or any(not learned for row in turns for _, learned in row):
        raise ArgumentError("turns", "rows of (given, learned), of each something learned", "none")
    rows = []
    for row in turns:
        tokens, targets, segments, positions = [image_id] * places, [IGNORE] * places, [0] * places, [*range(places)]
        for number, (given, learned) in enumerate(row, 1):
            said = [start_id, *given, *learned]
            tokens += said
            targets += [IGNORE] * len(given) + [*learned, end_id]
            segments += [number] * len(said)
            positions += range(places, places + len(said))
        rows.append((tokens, targets, positions, segments))
    parts = zip(("tokens", "targets", "positions", "segments"), zip(*rows), (pad_id, IGNORE, 0, -1))
    return {name: padded(texts, fill) for name, texts, fill in parts}


def visible(segments: np.ndarray) -> np.ndarray:
    """Who may see whom, beside the causal order: one's own text, and the picture.  (B, T) -> (B, 1, T, T) booleans"""
    segments = np.asarray(segments)
    if segments.ndim != 2:
        raise ShapeError("segments", "(B, T)", segments.shape)
    return text_mask(segments) | (segments == 0)[:, None, None, :]
