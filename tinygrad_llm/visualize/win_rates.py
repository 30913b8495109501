"""Win rates: of two models on the same examples, how often each is the better one."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize.chart import COLORS
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure
from tinygrad_llm.visualize.marks import EM

WIDTH, MARGIN, LEFT, ROW, LINE = 400, 16, 116, 30, 17
"""Pixels: narrow, so that a phone shows it as it is."""
TIE = "#d0d7de"
NARROWEST_TOLD = 34
"""Pixels of a part of a bar in which its number fits."""


def win_rate_figure(
    counts: Mapping[str, tuple[int, int, int]], names: tuple[str, str], *, title: str, subtitle: str = ""
) -> Figure:
    """A bar a metric, parted into examples that the first wins, ties, and those that the second wins, in percent.

    counts  wins, ties and losses of the first by metric.

    Raises ArgumentError for nothing, for numbers below 0, and where one has no examples.
    """
    if not counts or any(min(c) < 0 or not sum(c) for c in counts.values()):
        raise ArgumentError("win_rate_figure", "wins, ties and losses by metric, some each", dict(counts))
    colors = COLORS[0], TIE, COLORS[1]
    legend = [*zip((f"{names[0]} is better", "as good", f"{names[1]} is better"), colors)]
    letters = int((WIDTH - 2 * MARGIN - 18) / (EM * 12))
    lines = [(part, color if i == 0 else "") for words, color in legend
             for i, part in enumerate(textwrap.wrap(words, letters))]  # fmt: skip
    top = 56 + LINE * len(lines) + 6
    told = (f"{metric}: {w} won, {t} as good, {lost} lost" for metric, (w, t, lost) in counts.items())
    figure = Figure(WIDTH, top + ROW * len(counts) + 12, title, "; ".join(told))
    figure.text((MARGIN, 26), title, INK, 16, weight=600)
    figure.text((MARGIN, 44), subtitle, PALE_INK, 12)
    for row, (words, color) in enumerate(lines):
        if color:
            figure.rect((MARGIN, 56 + LINE * row), 12, 12, color)
        figure.text((MARGIN + 18, 67 + LINE * row), words, INK, 12)
    for row, (metric, parts) in enumerate(counts.items()):
        x, y = float(LEFT), top + ROW * row
        figure.text((LEFT - 8, y + 17), metric, INK, 12, anchor="end")
        for count, color in zip(parts, colors):
            width = (WIDTH - MARGIN - LEFT) * count / sum(parts)
            if width:
                figure.rect((x, y + 3), width, ROW - 10, color)
            if width >= NARROWEST_TOLD:
                ink = INK if color == TIE else "white"
                figure.text((x + width / 2, y + 17), f"{100 * count / sum(parts):.0f}%", ink, 12, anchor="middle")
            x += width
    return figure
