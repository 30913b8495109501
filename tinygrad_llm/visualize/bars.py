"""Bar charts: a bar a name, or for each of several groups a bar a series."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize.chart import COLORS, TOP, WIDTH
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure

MARGIN, BARS, LINE = 20, 225, 17
"""Pixels at the edges, of the highest bar, and from one line of text to the next."""
LETTER = 7.0
"""About the width in pixels of a letter of size 12."""
WIDEST_BAR, NARROWEST_NUMBERED = 40.0, 24.0


def bar_chart(values: Mapping[str, float], *, title: str, subtitle: str = "", unit: str = "") -> Figure:
    """A horizontal bar a name, its number at its end.  Raises ArgumentError for nothing, or for what is not finite."""
    if not values or not all(math.isfinite(v) and v >= 0 for v in values.values()):
        raise ArgumentError("bar_chart", "at least one number, none negative", dict(values))
    row, left = 30, 200
    figure = Figure(WIDTH, TOP + row * len(values) + 20, title, "; ".join(f"{k}: {v:.4g}" for k, v in values.items()))
    figure.text((20, 26), title, INK, 16, weight=600)
    figure.text((20, 44), subtitle, PALE_INK, 12)
    widest = max(values.values()) or 1.0
    for i, (name, value) in enumerate(values.items()):
        y = TOP + row * i
        figure.text((left - 10, y + 19), name, INK, 13, anchor="end")
        figure.rect((left, y + 5), (WIDTH - left - 110) * value / widest, row - 10, COLORS[0])
        figure.text((left + (WIDTH - left - 110) * value / widest + 8, y + 19), f"{value:.4g}{unit}", INK, 13)
    return figure


def grouped_bars(
    values: Mapping[str, Mapping[str, float]],
    *,
    title: str,
    subtitle: str = "",
    captions: Mapping[str, str] | None = None,
    colors: Mapping[str, str] | None = None,
) -> Figure:
    """For each group, side by side, a vertical bar a series, its number above it; a legend names the series.

    values    values[series][group]: every series has the same groups, in the order of the first.
    captions  words under the name of a group.
    colors    by series; those of line charts otherwise.

    Raises ArgumentError for nothing, for series of other groups, and for numbers that are negative or not finite.
    """
    groups = list(next(iter(values.values()), {}))
    numbers = [number for row in values.values() for number in row.values()]
    if not numbers or any(set(row) != set(groups) for row in values.values()):
        got = {series: list(row) for series, row in values.items()}
        raise ArgumentError("grouped_bars", "a number for each series and group", got)
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise ArgumentError("grouped_bars", "finite numbers, none negative", numbers)
    paint = {series: (colors or {}).get(series, COLORS[i % len(COLORS)]) for i, series in enumerate(values)}
    across = (WIDTH - 2 * MARGIN) / len(groups)
    words = {group: _caption(group, (captions or {}).get(group, ""), across) for group in groups}
    names = _legend(list(values))
    floor = TOP + LINE * names[-1][2] + 34 + BARS
    height = floor + LINE * max(map(len, words.values())) + 20
    spoken = (f"{group}: " + ", ".join(f"{name} {row[group]:.4g}" for name, row in values.items()) for group in groups)
    figure = Figure(WIDTH, height, title, "; ".join(spoken))
    figure.text((MARGIN, 26), title, INK, 16, weight=600)
    figure.text((MARGIN, 44), subtitle, PALE_INK, 12)
    for series, x, row in names:
        figure.rect((x, TOP + LINE * row), 12, 12, paint[series])
        figure.text((x + 18, TOP + 11 + LINE * row), series, INK, 12)
    for place, group in enumerate(groups):
        center = MARGIN + across * (place + 0.5)
        bars = [(row[group], paint[series]) for series, row in values.items()]
        _group(figure, center, floor, bars, max(numbers) or 1.0, across)
        for line, (text, color, weight) in enumerate(words[group]):
            figure.text((center, floor + 20 + LINE * line), text, color, 12, anchor="middle", weight=weight)
    figure.line((MARGIN, floor), (WIDTH - MARGIN, floor), PALE_INK)
    return figure


def _caption(group: str, caption: str, width: float) -> list[tuple[str, str, int]]:
    """(words, color, weight) of each line under a group that is so many pixels wide."""
    letters = max(1, int(width / LETTER))
    return [
        (line, color, weight)
        for text, color, weight in ((group, INK, 600), (caption, PALE_INK, 400))
        for line in textwrap.wrap(text, letters)
    ]


def _legend(names: list[str]) -> list[tuple[str, float, int]]:
    """(name, x, row) of each series, from left to right, in as many rows as it takes."""
    places: list[tuple[str, float, int]] = []
    x, row = float(MARGIN), 0
    for name in names:
        width = 18 + LETTER * len(name) + 24
        if places and x + width > WIDTH:
            x, row = float(MARGIN), row + 1
        places.append((name, x, row))
        x += width
    return places


def _group(
    figure: Figure, center: float, floor: float, bars: list[tuple[float, str]], largest: float, across: float
) -> None:
    """The bars (number, color) of one group, side by side around `center`; `across` is the room that it has."""
    width = min(WIDEST_BAR, (across - 16) / len(bars))
    for i, (number, color) in enumerate(bars):
        left, height = center + width * (i - len(bars) / 2), BARS * number / largest
        gap = min(4.0, width / 4)
        figure.rect((left + gap / 2, floor - height), width - gap, height, color)
        if width >= NARROWEST_NUMBERED:
            figure.text((left + width / 2, floor - height - 6), f"{number:.3g}", INK, 12, anchor="middle")
