"""Loss curves: training and held-out loss against the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole
from tinygrad_llm.visualize.chart import COLORS, Line, line_chart, subsampled
from tinygrad_llm.visualize.figure import Figure, Point

TRAIN, HELD_OUT = COLORS[:2]
MOST_POINTS = 600


def loss_curve(
    train: Sequence[Point],
    val: Sequence[Point],
    *,
    title: str = "Loss",
    unit: str = "nats a token; 1 nat = 1.44 bits",
    baselines: Mapping[str, float] | None = None,
) -> Figure:
    """Training loss (step, nats a token), raw in a light line and smoothed on top; held-out loss with dots.

    unit       what the numbers are, where they are others.
    baselines  horizontal lines by name, in the same unit.

    Raises ArgumentError where there is nothing to draw.
    """
    thin = subsampled(train, MOST_POINTS) if train else []
    smooth = smoothed(thin)
    lines = []
    if thin:
        lines.append(Line("", thin, TRAIN, 1, 0.25))
        lines.append(Line(f"training {smooth[-1][1]:.3f}", smooth, TRAIN))
    if val:
        lines.append(Line(f"held-out {val[-1][1]:.3f}", val, HELD_OUT, dots=True))
    if not lines:
        raise ArgumentError("loss_curve", "at least one point", "none")
    named = {f"{name} {loss:.3f}": loss for name, loss in (baselines or {}).items()}
    return line_chart(
        lines, title=title, subtitle=unit, xlabel="step", baselines=named,
        description=_description(train, val),
    )  # fmt: skip


def smoothed(points: Sequence[Point]) -> list[Point]:
    """A centred running mean over about a thirtieth of the run."""
    reach = max(1, len(points) // 60)
    out = []
    for i, (step, _) in enumerate(points):
        near = min(reach, i, len(points) - 1 - i)
        part = [loss for _, loss in points[i - near : i + near + 1]]
        out.append((step, sum(part) / len(part)))
    return out


def trailing_mean(losses: Sequence[float], width: int = 20) -> np.ndarray:
    """The mean of each step's last `width` losses, from step number `width` on.  (N,) -> (N - width + 1,)

    inf where one of them is NaN or infinite: a run that has blown up is below no bound.

    Raises ArgumentError for a width that is no whole number of at least 1, or above the number of losses.
    """
    check_whole(width=width)
    if width > len(losses):
        raise ArgumentError("width", f"at most the number of losses, {len(losses)}", width)
    known = np.asarray(losses, np.float64)
    return np.convolve(np.where(np.isfinite(known), known, np.inf), np.ones(width) / width, "valid")


def _description(train: Sequence[Point], val: Sequence[Point]) -> str:
    parts = [
        f"{name} loss from {points[0][1]:.3f} at step {points[0][0]} to {points[-1][1]:.3f} at step {points[-1][0]}"
        for name, points in (("training", train), ("held-out", val))
        if points
    ]
    return "; ".join(parts)
