"""Charts: lines and dots between two axes, and grids of colour."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize.figure import GRID, INK, PALE_INK, Figure, Point, ticks
from tinygrad_llm.visualize.marks import EM
from tinygrad_llm.visualize.words import visible

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 62, 150, 56, 52
COLORS = ("#0969da", "#cf5b16", "#1a7f37", "#8250df", "#bf3989", "#57606a", "#9a6700", "#0e7490")
BASELINE = "#57606a"
MOST_DOTS = 60
FEW = 16
"""Points of which each is marked by itself; more look like beads."""
ROWS_TOLD = 16
"""Rows of a heat map that its description tells of."""


@dataclass(frozen=True)
class Line:
    """A line through points, labelled at its end; `dots` marks the points, `joined=False` draws nothing else."""

    name: str
    points: Sequence[Point]
    color: str
    width: float = 2
    opacity: float = 1
    dots: bool = False
    joined: bool = True


def line_chart(
    lines: Mapping[str, Sequence[Point]] | Sequence[Line],
    *,
    title: str,
    subtitle: str = "",
    xlabel: str = "",
    ylabel: str = "",
    baselines: Mapping[str, float] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    description: str = "",
) -> Figure:
    """Lines over a common pair of axes, each with its name at its right end; from a mapping, few points with dots.

    baselines  horizontal dashed lines by name.
    log_x, log_y  axes on which equal steps are equal factors.

    Raises ArgumentError where there is nothing to draw, or a number that cannot be placed on its axis.
    """
    if isinstance(lines, Mapping):
        named = enumerate(lines.items())
        lines = [Line(name, list(p), COLORS[i % len(COLORS)], dots=len(p) <= FEW) for i, (name, p) in named]
    baselines = baselines or {}
    xs = [float(x) for line in lines for x, _ in line.points]
    ys = [float(y) for line in lines for _, y in line.points] + [float(y) for y in baselines.values()]
    drawable = (
        xs and all(map(math.isfinite, [*xs, *ys])) and not (log_x and min(xs) <= 0) and not (log_y and min(ys) <= 0)
    )
    if not drawable:
        raise ArgumentError("line_chart", "at least one point, all finite (positive on log axes)", f"{len(xs)} points")
    place, across, up = _scales(xs, ys, log_x, log_y)
    figure = Figure(WIDTH, HEIGHT, title, description or _description(lines))
    _frame(figure, title, subtitle or ylabel, xlabel, ylabel if subtitle else "")
    _grid(figure, place, across, up, log_x, log_y)
    labels = []
    for line in lines:
        points = [place(p) for p in line.points]
        if line.joined:
            figure.path(points, line.color, line.width, line.opacity)
        for point in subsampled(points, MOST_DOTS) if line.dots else ():
            figure.dot(point, line.color)
        if line.name:
            labels.append((line.name, points[-1][1], line.color))
    for name, value in baselines.items():
        y = place((across[0], value))[1]
        figure.line((LEFT, y), (WIDTH - RIGHT, y), BASELINE, 1, "5 4")
        labels.append((name, y, BASELINE))
    for words, y, color in spread(labels):
        figure.text((WIDTH - RIGHT + 8, y + 4), words, color, 12, weight=600)
    return figure


def heat_map(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    subtitle: str = "",
    numbers: bool = False,
) -> Figure:
    """A cell an entry, the darker the larger, with names at rows and columns: tokens, of which all is visible.

    On a dark page the brighter the larger. A subtitle that is wider than the map takes several lines.
    """
    values = np.asarray(values, dtype=float)
    if values.shape != (len(rows), len(columns)) or not values.size or not np.isfinite(values).all():
        raise ArgumentError("heat_map", f"finite values of shape {(len(rows), len(columns))}", values.shape)
    rows, columns = ([visible(str(name)) for name in names] for names in (rows, columns))
    cell = max(14, min(40, 640 // max(len(columns), 1)))
    size = min(12, cell - 3)
    left = 24 + 8 * max(map(len, rows))
    width = max(left + cell * len(columns) + 20, 420)
    under = textwrap.wrap(subtitle, int((width - 32) / (EM * 12)))
    top = TOP + 10 + 7 * max(map(len, columns)) + 16 * max(0, len(under) - 1)
    figure = Figure(width, top + cell * len(rows) + 20, title, _largest_of_rows(values, rows, columns))
    figure.text((16, 26), title, INK, 16, weight=600)
    for number, line in enumerate(under):
        figure.text((16, 44 + 16 * number), line, PALE_INK, 12)
    low, high = min(0.0, values.min()), values.max()
    for j, name in enumerate(columns):
        figure.text((left + cell * (j + 0.5) + 4, top - 6), name, INK, size, rotation=-90)
    for i, name in enumerate(rows):
        figure.text((left - 6, top + cell * (i + 0.5) + 4), name, INK, size, anchor="end")
        for j in range(len(columns)):
            fraction = (values[i, j] - low) / (high - low) if high > low else 0.0
            figure.rect((left + cell * j, top + cell * i), cell - 1, cell - 1, shade(fraction))
            if numbers:
                figure.text(
                    (left + cell * (j + 0.5), top + cell * (i + 0.5) + 4), f"{values[i, j]:.2g}",
                    "#ffffff" if fraction > 0.55 else INK, size - 2, anchor="middle",
                )  # fmt: skip
    return figure


def shade(fraction: float) -> str:
    """The paper at 0, dark blue at 1; what is between lets the paper be seen, whichever it is."""
    return f"#093f8c{round(255 * min(1.0, max(0.0, fraction))):02x}"


def subsampled(points: Sequence[Point], most: int) -> list[Point]:
    """At most about `most` points, evenly spaced in the sequence, always with the last."""
    stride = max(1, math.ceil(len(points) / most))
    return [*points[:-1][::stride], *points[-1:]]


def spread(labels: Sequence[tuple[str, float, str]], gap: float = 16) -> list[tuple[str, float, str]]:
    """The labels from top to bottom, moved down until none covers another, and up again where they leave the
    drawing."""
    placed: list[tuple[str, float, str]] = []
    for words, y, color in sorted(labels, key=lambda label: label[1]):
        y = max(y, placed[-1][1] + gap) if placed else y
        placed.append((words, y, color))
    limit: float = HEIGHT - BOTTOM
    for i in range(len(placed) - 1, -1, -1):
        words, y, color = placed[i]
        placed[i] = (words, min(y, limit), color)
        limit = placed[i][1] - gap
    return placed


def _scales(
    xs: list[float], ys: list[float], log_x: bool, log_y: bool
) -> tuple[Callable[[Point], Point], Point, Point]:
    """From a point to its place in pixels, and the ends of both axes."""

    def scaled(value: float, log: bool) -> float:
        return math.log10(value) if log else value

    first, last = min(scaled(x, log_x) for x in xs), max(scaled(x, log_x) for x in xs)
    last = last if last > first else first + 1
    low, high = min(scaled(y, log_y) for y in ys), max(scaled(y, log_y) for y in ys)
    margin = 0.05 * (high - low) or 0.5
    low, high = low - margin, high + margin

    def place(point: Point) -> Point:
        x = LEFT + (scaled(point[0], log_x) - first) / (last - first) * (WIDTH - LEFT - RIGHT)
        return x, TOP + (high - scaled(point[1], log_y)) / (high - low) * (HEIGHT - TOP - BOTTOM)

    ends = [10**v if log else v for v, log in ((first, log_x), (last, log_x), (low, log_y), (high, log_y))]
    return place, (ends[0], ends[1]), (ends[2], ends[3])


def _frame(figure: Figure, title: str, subtitle: str, xlabel: str, ylabel: str) -> None:
    figure.text((LEFT, 26), title, INK, 16, weight=600)
    figure.text((LEFT, 44), subtitle, PALE_INK, 12)
    figure.line((LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, HEIGHT - BOTTOM), PALE_INK)
    figure.text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12), xlabel, anchor="middle")
    if ylabel:
        figure.text((16, (TOP + HEIGHT - BOTTOM) / 2), ylabel, anchor="middle", rotation=-90)


def _grid(figure: Figure, place: Callable[[Point], Point], across: Point, up: Point, log_x: bool, log_y: bool) -> None:
    for value in powers(*up) if log_y else ticks(*up):
        y = place((across[0], value))[1]
        figure.line((LEFT, y), (WIDTH - RIGHT, y), GRID)
        figure.text((LEFT - 8, y + 4), f"{value:g}", anchor="end")
    for value in powers(*across) if log_x else ticks(*across):
        x = place((value, up[0]))[0]
        words = f"{value:,.0f}" if value == int(value) else f"{value:g}"
        figure.text((x, HEIGHT - BOTTOM + 20), words, anchor="middle")


def powers(low: float, high: float) -> list[float]:
    """Ticks of a log axis: powers of ten, with 2 and 5 between where the range is short."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    stride = max(1, len(decades) // 8)
    steps = (1, 2, 5) if len(decades) <= 3 else (1,)
    return [m * 10.0**d for d in decades[::stride] for m in steps if low * 0.999 <= m * 10.0**d <= high * 1.001]


def _largest_of_rows(values: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> str:
    """The size of the map, and the largest entry of each of the first rows."""
    largest = [f"{name}: {columns[j]} {values[i, j]:.2g}" for i, (name, j) in enumerate(zip(rows, values.argmax(1)))]
    more = f"; and {len(largest) - ROWS_TOLD} more rows" if len(largest) > ROWS_TOLD else ""
    size = f"{len(rows)} rows by {len(columns)} columns"
    return f"{size}; the largest of each row: {', '.join(largest[:ROWS_TOLD])}{more}"


def _description(lines: Sequence[Line]) -> str:
    return "; ".join(
        f"{line.name} from {line.points[0][1]:.3g} at {line.points[0][0]:g} to {line.points[-1][1]:.3g} at "
        f"{line.points[-1][0]:g}"
        for line in lines
        if line.points and line.name
    )
