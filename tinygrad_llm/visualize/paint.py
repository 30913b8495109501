"""A drawing as a matplotlib figure: for PNG, and for adding to it there."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from tinygrad_llm.errors import ConfigError
from tinygrad_llm.extras import install
from tinygrad_llm.visualize.marks import Circle, Curve, Mark, Picture, Polygon, Polyline, Rectangle, Stroke, Text

DPI = 100
"""Pixels of the drawing an inch."""
POINT = 72 / DPI
"""Points a pixel: matplotlib measures line widths and fonts in points."""
FONTS = ("Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")
"""The first that is there; the others for the letters it lacks. matplotlib brings the last one."""
ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def to_matplotlib(marks: Sequence[Mark], paper: tuple[int, int, int, int]) -> Any:
    """A matplotlib Figure with one Axes, in pixels with y downwards.  Raises ConfigError without matplotlib.

    paper  left, top, width and height.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError("PNG", "matplotlib", "none", install("learn")) from error
    left, top, width, height = paper
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(left, left + width)
    axes.set_ylim(top + height, top)
    fonts = _fonts()
    for order, mark in enumerate(marks):
        _paint(axes, mark, order, fonts)
    return figure


def to_png(marks: Sequence[Mark], paper: tuple[int, int, int, int]) -> bytes:
    """As PNG, two dots a pixel."""
    buffer = io.BytesIO()
    to_matplotlib(marks, paper).savefig(buffer, format="png", dpi=2 * DPI)
    return buffer.getvalue()


def _fonts() -> list[str]:
    from matplotlib import font_manager

    there = set(font_manager.get_font_names())
    return [name for name in FONTS if name in there]


def _paint(axes: Any, mark: Mark, order: int, fonts: list[str]) -> None:
    """One mark, above those before it."""
    from matplotlib import patches
    from matplotlib.image import imread
    from matplotlib.path import Path

    match mark:
        case Stroke(a, b, color, width, dash):
            style = (0, tuple(length / width for length in dash)) if dash else "solid"  # in units of the line width
            axes.plot(*zip(a, b), color=color, linewidth=width * POINT, linestyle=style, zorder=order)
        case Polyline(points, color, width, opacity):
            pen = {"linewidth": width * POINT, "solid_joinstyle": "round"}
            axes.plot(*zip(*points), color=color, alpha=opacity, zorder=order, **pen)
        case Circle(at, color, radius):
            axes.add_patch(patches.Circle(at, radius, fc=color, ec="white", lw=POINT, zorder=order))
        case Rectangle(at, width, height, color, edge):
            style = f"round,pad=0,rounding_size={mark.rounding}" if mark.rounding else "square,pad=0"
            box = patches.FancyBboxPatch(at, width, height, style, fc=color, ec=edge, lw=POINT, zorder=order)
            axes.add_patch(box)
        case Curve(a, middle, b, color, width):
            way = Path([a, middle, b], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
            axes.add_patch(patches.PathPatch(way, fc="none", ec=color, lw=width * POINT, zorder=order))
        case Picture(at, width, height, png):
            extent = (at[0], at[0] + width, at[1] + height, at[1])
            axes.imshow(imread(io.BytesIO(png)), extent=extent, interpolation="nearest", aspect="auto", zorder=order)
        case Polygon(corners, color):
            axes.add_patch(patches.Polygon(corners, fc=color, ec="none", zorder=order))
        case Text(at, words, color, size, anchor, weight, rotation):
            place = {"ha": ANCHORS[anchor], "va": "baseline", "rotation": -rotation, "rotation_mode": "anchor"}
            font = {"color": color, "fontsize": size * POINT, "fontweight": "bold" if weight > 500 else "normal"}
            axes.text(*at, words, fontfamily=fonts, parse_math=False, zorder=order, **place, **font)
