"""Reliability: how often a model is right, by how sure it said that it was."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize.chart import COLORS
from tinygrad_llm.visualize.figure import GRID, INK, PALE_INK, Figure

WIDTH, LEFT, TOP, SIDE, GAP, BARS = 400, 56, 62, 320, 14, 64
"""Pixels: the drawing, the square and where it begins, and the counts below it. A phone shows it as it is."""


def reliability_figure(
    edges: Any, counts: Any, confidence: Any, accuracy: Any, *, title: str, subtitle: str = ""
) -> Figure:
    """A dot a bin at (mean confidence, share right), the larger the more examples it has; on the dashed line a model
    knows how sure it may be, below it is too sure. Under it how many examples each bin has.

    edges   (bins + 1,), from 0 to 1.  counts, confidence, accuracy  (bins,), NaN where a bin is empty.

    Raises ArgumentError where these do not fit, and where there is no example.
    """
    edges, counts, sure, right = (np.asarray(a, np.float64) for a in (edges, counts, confidence, accuracy))
    bins = len(edges) - 1
    if bins < 1 or not all(a.shape == (bins,) for a in (counts, sure, right)) or not counts.sum() > 0:
        got = f"{counts.shape}, {sure.shape}, {right.shape}, {np.nansum(counts):g} examples"
        raise ArgumentError("reliability_figure", f"({bins},) of each, of at least one example", got)
    held = np.flatnonzero(counts)
    told = [f"{sure[i]:.2f} sure, {right[i]:.2f} right ({counts[i]:.0f})" for i in held]
    figure = Figure(WIDTH, TOP + SIDE + GAP + BARS + 44, title, "; ".join(told))
    figure.text((LEFT - 40, 26), title, INK, 16, weight=600)
    figure.text((LEFT - 40, 44), subtitle, PALE_INK, 12)
    floor, low = TOP + SIDE, TOP + SIDE + GAP + BARS
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = LEFT + SIDE * share, floor - SIDE * share
        figure.line((LEFT, y), (LEFT + SIDE, y), GRID)
        figure.line((x, TOP), (x, floor), GRID)
        figure.text((LEFT - 8, y + 4), f"{share:g}", anchor="end")
        figure.text((x, low + 18), f"{share:g}", anchor="middle")
    figure.line((LEFT, floor), (LEFT + SIDE, TOP), PALE_INK, 1, "5 4")
    figure.text((LEFT + SIDE / 2, low + 36), "how sure the model was", anchor="middle")
    figure.text((14, TOP + SIDE / 2), "share that was right", anchor="middle", rotation=-90)
    points = [(LEFT + SIDE * sure[i], floor - SIDE * right[i]) for i in held]
    figure.path(points, COLORS[0], 1.5, 0.6)
    for i, point in zip(held, points):
        figure.dot(point, COLORS[0], 3 + 5 * float(np.sqrt(counts[i] / counts.max())))
        x, height = LEFT + SIDE * edges[i], BARS * counts[i] / counts.max()
        figure.rect((x + 1, low - height), SIDE * (edges[i + 1] - edges[i]) - 2, height, COLORS[0])
    figure.line((LEFT, low), (LEFT + SIDE, low), PALE_INK)
    figure.text((LEFT - 8, low - BARS + 10), f"{counts.max():,.0f}", anchor="end")
    return figure
