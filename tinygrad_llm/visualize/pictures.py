"""Pictures, the patches that they are cut into, and how much each patch weighs."""

from __future__ import annotations

import math
import struct
import textwrap
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole
from tinygrad_llm.visualize.bars import LETTER
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure

SIDE, GAP, MARGIN, LINE = 150, 18, 22, 16
"""Pixels of the longer side of a picture, between two, at the edges, and from one line of words to the next."""
FADED = 0.85
"""How much of a veil lies over a patch that weighs nothing."""
VEIL, FRAME = "#e6edf3", "#cf5b16"
"""The veil is pale on a dark page, too: what weighs little fades alike."""


def patches_figure(
    pictures: Any,
    *,
    patch: int,
    title: str,
    subtitle: str = "",
    captions: Sequence[str] = (),
    weights: Any = None,
    columns: int = 4,
) -> Figure:
    """Pictures side by side, each with the lines along which it is cut.

    pictures  (B, C, Y, X), C one (gray) or three (red, green, blue); bytes, or floats from 0 to 1.
    patch     the side of a patch in the picture's own pixels.
    captions  words below each.
    weights   (B, N), none negative, a number a patch from left to right and top to bottom: the heaviest of a picture is
              seen as it is and has a frame, the others fade as they weigh less.

    Raises ArgumentError for what are no pictures, or weights and captions that do not fit them.
    """
    pixels = _bytes(pictures)
    count, height, width, _ = pixels.shape
    if type(patch) is not int or patch < 1 or height % patch or width % patch:
        raise ArgumentError("patch", f"a divisor of both sides, {height} and {width}", patch)
    shares = _shares(weights, count, height // patch * (width // patch))
    if captions and len(captions) != count:
        raise ArgumentError("captions", f"one for each of {count} pictures", len(captions))
    check_whole(columns=columns)
    scale = SIDE / max(height, width)
    across, down = scale * width, scale * height
    words = [textwrap.wrap(caption, max(8, int(across / LETTER))) for caption in captions] or [[]] * count
    row_height = down + GAP + LINE * max(map(len, words)) + (6 if captions else 0)
    columns, rows = min(columns, count), math.ceil(count / columns)
    figure = Figure(
        round(2 * MARGIN + columns * across + (columns - 1) * GAP),
        round(64 + rows * row_height),
        title,
        _told(captions, shares, width // patch, count),
    )
    figure.text((MARGIN, 28), title, INK, 16, weight=600)
    figure.text((MARGIN, 46), subtitle, PALE_INK, 12)
    for number in range(count):
        row, column = divmod(number, columns)
        corner = (MARGIN + column * (across + GAP), 64 + row * row_height)
        figure.picture(corner, across, down, png(pixels[number]))
        _cut(
            figure,
            corner,
            scale * patch,
            (height // patch, width // patch),
            shares[number] if shares is not None else None,
        )
        for line, text in enumerate(words[number]):
            at = (corner[0] + across / 2, corner[1] + down + LINE * (line + 1))
            figure.text(at, text, INK, 12, anchor="middle")
    return figure


def _bytes(pictures: Any) -> np.ndarray:
    """(B, C, Y, X) of either kind as bytes (B, Y, X, C).  Raises ArgumentError for others."""
    pictures = np.asarray(pictures)
    if pictures.ndim != 4 or pictures.shape[1] not in (1, 3) or 0 in pictures.shape:
        raise ArgumentError("pictures", "(B, C, Y, X) with C = 1 or 3", pictures.shape)
    if pictures.dtype != np.uint8:
        if pictures.dtype.kind != "f" or not (
            np.isfinite(pictures).all() and 0 <= pictures.min() <= pictures.max() <= 1
        ):
            raise ArgumentError("pictures", "bytes, or floats from 0 to 1", f"{pictures.dtype} outside of that")
        pictures = np.rint(255 * pictures).astype(np.uint8)
    return pictures.transpose(0, 2, 3, 1)


def _shares(weights: Any, count: int, patches: int) -> np.ndarray | None:
    """Each picture's weights, its largest as one.  (B, N)"""
    if weights is None:
        return None
    weights = np.asarray(weights, float)
    if weights.shape != (count, patches) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ArgumentError("weights", f"(B, N) = {(count, patches)} numbers, none negative", weights.shape)
    return weights / np.maximum(weights.max(1, keepdims=True), np.finfo(float).tiny)


def _cut(
    figure: Figure, corner: tuple[float, float], side: float, grid: tuple[int, int], shares: np.ndarray | None
) -> None:
    """The lines between patches, and over each patch as much of a veil as it lacks in weight."""
    (left, top), (rows, columns) = corner, grid
    if shares is not None:
        for number, share in enumerate(shares):
            row, column = divmod(number, columns)
            veil = f"{VEIL}{round(255 * FADED * (1 - share)):02x}"
            figure.rect((left + column * side, top + row * side), side, side, veil)
    for row in range(1, rows):
        figure.line((left, top + row * side), (left + columns * side, top + row * side), VEIL, 0.8)
    for column in range(1, columns):
        figure.line((left + column * side, top), (left + column * side, top + rows * side), VEIL, 0.8)
    if shares is not None:
        row, column = divmod(int(shares.argmax()), columns)
        a, b = left + column * side, top + row * side
        figure.path([(a, b), (a + side, b), (a + side, b + side), (a, b + side), (a, b)], FRAME, 2.2)


def _told(captions: Sequence[str], shares: np.ndarray | None, columns: int, count: int) -> str:
    """What a reader who does not see the pictures is told."""
    found = []
    for number in range(count):
        said = captions[number] if captions else f"picture {number + 1}"
        if shares is not None:
            row, column = divmod(int(shares[number].argmax()), columns)
            said += f" (heaviest patch: row {row + 1}, column {column + 1})"
        found.append(said)
    return "; ".join(found)


def png(pixels: np.ndarray) -> bytes:
    """Bytes (Y, X, C), C one or three, as a PNG file.  Source: W3C, "Portable Network Graphics", 2003."""
    height, width, channels = pixels.shape
    lines = b"".join(b"\0" + np.ascontiguousarray(line).tobytes() for line in pixels)  # 0: no filter
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
