"""The picture of a run: how the loss fell, on the text it learned from and on text it never saw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.inspect.figure import GRID, INK, PALE_INK, Figure, Point, ticks

TRAIN, HELD_OUT, BASELINE = "#0969da", "#cf5b16", "#57606a"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 62, 150, 56, 52
MOST_POINTS = 600


def loss_curve(
    train: Sequence[Point],
    val: Sequence[Point],
    *,
    title: str = "Loss",
    baselines: Mapping[str, float] | None = None,
) -> Figure:
    """(step, nats a token) while training, pale as it was and smoothed on top; the same on held-out text, with dots.

    baselines  horizontal lines by name, in nats a token.

    Raises ArgumentError where there is nothing to draw.
    """
    baselines = baselines or {}
    losses = [loss for _, loss in (*train, *val)] + list(baselines.values())
    if not (train or val) or not all(map(math.isfinite, losses)):
        raise ArgumentError("loss_curve", "at least one point, all finite", f"{len(train)} and {len(val)} points")
    steps = [step for step, _ in (*train, *val)]
    low, high = _range(losses)
    first, last = min(steps), max(steps)
    last = last if last > first else first + 1

    def place(point: Point) -> Point:
        x = LEFT + (point[0] - first) / (last - first) * (WIDTH - LEFT - RIGHT)
        return x, TOP + (high - point[1]) / (high - low) * (HEIGHT - TOP - BOTTOM)

    figure = Figure(WIDTH, HEIGHT, title, _description(train, val))
    figure.text((LEFT, 26), title, INK, 16, weight=600)
    figure.text((LEFT, 44), "nats a token; 1 nat = 1.44 bits", PALE_INK, 12)
    _axes(figure, place, (first, last), (low, high))
    thin = _thinned(train)
    figure.path([place(p) for p in thin], TRAIN, 1, 0.25)
    smooth = _smoothed(thin)
    figure.path([place(p) for p in smooth], TRAIN, 2)
    figure.path([place(p) for p in val], HELD_OUT, 2)
    for point in _thinned(val, 60):
        figure.dot(place(point), HELD_OUT)
    labels = [(f"training {smooth[-1][1]:.3f}", place(smooth[-1])[1], TRAIN)] if smooth else []
    labels += [(f"held-out {val[-1][1]:.3f}", place(val[-1])[1], HELD_OUT)] if val else []
    for name, loss in baselines.items():
        figure.line((LEFT, place((first, loss))[1]), (WIDTH - RIGHT, place((first, loss))[1]), BASELINE, 1, "5 4")
        labels.append((f"{name} {loss:.3f}", place((first, loss))[1], BASELINE))
    for words, y, color in _apart(labels):
        figure.text((WIDTH - RIGHT + 8, y + 4), words, color, 12, weight=600)
    return figure


def _range(losses: Sequence[float]) -> Point:
    low, high = min(losses), max(losses)
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _axes(figure: Figure, place, steps: Point, losses: Point) -> None:
    for loss in ticks(*losses):
        y = place((steps[0], loss))[1]
        figure.line((LEFT, y), (WIDTH - RIGHT, y), GRID)
        figure.text((LEFT - 8, y + 4), f"{loss:g}", anchor="end")
    for step in ticks(*steps):
        x = place((step, losses[0]))[0]
        figure.text((x, HEIGHT - BOTTOM + 20), f"{step:,.0f}" if step == int(step) else f"{step:g}", anchor="middle")
    figure.line((LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, HEIGHT - BOTTOM), PALE_INK)
    figure.text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12), "step", anchor="middle")


def _thinned(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most about `most` points, evenly taken, the last one always."""
    stride = max(1, math.ceil(len(points) / most))
    return [*points[:-1][::stride], *points[-1:]]


def _smoothed(points: Sequence[Point]) -> list[Point]:
    """A running mean over about a thirtieth of the run, to both sides alike."""
    reach = max(1, len(points) // 60)
    out = []
    for i, (step, _) in enumerate(points):
        near = min(reach, i, len(points) - 1 - i)
        part = [loss for _, loss in points[i - near : i + near + 1]]
        out.append((step, sum(part) / len(part)))
    return out


def _apart(labels: Sequence[tuple[str, float, str]], gap: float = 16) -> list[tuple[str, float, str]]:
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


def _description(train: Sequence[Point], val: Sequence[Point]) -> str:
    parts = [
        f"{name} loss from {points[0][1]:.3f} at step {points[0][0]} to {points[-1][1]:.3f} at step {points[-1][0]}"
        for name, points in (("training", train), ("held-out", val))
        if points
    ]
    return "; ".join(parts)
