"""A drawing in SVG: self-contained text that every browser shows, made of a few kinds of marks."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from tinygrad_llm.errors import ArgumentError, StorageError, reason
from tinygrad_llm.visualize import paint
from tinygrad_llm.visualize.dark import CLASS, dark_rules
from tinygrad_llm.visualize.marks import Circle, Curve, Mark, Picture, Point, Polygon, Polyline, Rectangle, Stroke, Text
from tinygrad_llm.visualize.words import legal

FONT = "font-family='system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif'"
INK, PALE_INK, GRID = "#24292f", "#6e7781", "#e6e8eb"
RIM = 8
"""Pixels between words that are longer than the drawing is wide and its edge."""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
</head>
<body>
{drawing}</body>
</html>
"""


@dataclass
class Figure:
    """Marks are added in pixels, (0, 0) at the top left; `svg` is the whole drawing.

    Its paper is `width` by `height`, and larger where words would be cut.
    """

    width: int
    height: int
    title: str
    description: str = ""
    marks: list[Mark] = field(default_factory=list)

    def line(self, a: Point, b: Point, color: str = GRID, width: float = 1, dash: str = "") -> None:
        """A straight line; dash "5 4" is five pixels drawn and four left out."""
        self.marks.append(Stroke(a, b, color, width, tuple(map(float, dash.split()))))

    def path(self, points: Sequence[Point], color: str, width: float = 1.5, opacity: float = 1) -> None:
        """A line through points."""
        self.marks.append(Polyline(tuple(points), color, width, opacity))

    def dot(self, at: Point, color: str, radius: float = 3) -> None:
        """A filled circle with a white rim."""
        self.marks.append(Circle(at, color, radius))

    def rect(self, at: Point, width: float, height: float, color: str, edge: str = "none") -> None:
        """A filled rectangle; `at` is its upper left corner."""
        self.marks.append(Rectangle(at, width, height, color, edge))

    def picture(self, at: Point, width: float, height: float, png: bytes) -> None:
        """A PNG file, drawn pixel by pixel; `at` is its upper left corner."""
        self.marks.append(Picture(at, width, height, png))

    def arrow(self, a: Point, b: Point, color: str, curvature: float = 0) -> None:
        """A line from a to b with a head at b; curved, its middle lies `curvature` pixels lower (or higher)."""
        middle = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + 2 * curvature
        start = middle if curvature else a
        length = math.hypot(b[0] - start[0], b[1] - start[1]) or 1.0
        ux, uy = (b[0] - start[0]) / length, (b[1] - start[1]) / length
        self.marks.append(Curve(a, middle, b, color, 1.2) if curvature else Stroke(a, b, color, 1.2, ()))
        wings = [(b[0] - 8 * ux + s * 4 * uy, b[1] - 8 * uy - s * 4 * ux) for s in (1, -1)]
        self.marks.append(Polygon((b, *wings), color))

    def text(
        self,
        at: Point,
        words: str,
        color: str = PALE_INK,
        size: int = 12,
        anchor: str = "start",
        weight: int = 400,
        rotation: int = 0,
    ) -> None:
        """Text; anchor is start, middle or end; rotated clockwise, in degrees. Runs of spaces become one.

        What no SVG may hold is written as in Python; `visible` makes labels that show all of a token.
        """
        self.marks.append(Text(at, " ".join(legal(words).split()), color, size, anchor, weight, rotation))

    @property
    def paper(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of what is shown."""
        ends = [end for mark in self.marks if isinstance(mark, Text) and mark.words for end in mark.ends]
        left, top = (min([0, *(math.floor(end[i]) - RIM for end in ends if end[i] < 0)]) for i in (0, 1))
        right, bottom = (
            max([size, *(math.ceil(end[i]) + RIM for end in ends if end[i] > size)])
            for i, size in ((0, self.width), (1, self.height))
        )
        return left, top, right - left, bottom - top

    @property
    def svg(self) -> str:
        """The drawing as text."""
        return self._svg()

    @property
    def html(self) -> str:
        """A whole page with the drawing in it. It needs nothing else, and no network."""
        return PAGE.format(title=escape(legal(self.title)), drawing=self._repr_html_())

    def matplotlib(self) -> Any:
        """The drawing as a matplotlib Figure with one Axes in the same pixels.  Raises ConfigError without it."""
        return paint.to_matplotlib(self.marks, self.paper)

    def save(self, path: str | Path) -> Path:
        """Writes the drawing as .svg, .html, or, with matplotlib, .png.

        Raises ArgumentError for another ending, StorageError where the disk refuses, ConfigError without matplotlib.
        """
        path = Path(path)
        forms = {
            ".svg": lambda: self.svg.encode(),
            ".html": lambda: self.html.encode(),
            ".png": lambda: paint.to_png(self.marks, self.paper),
        }
        if path.suffix not in forms:
            raise ArgumentError("path", "a name that ends with .svg, .html or .png", path.name)
        content = forms[path.suffix]()
        try:
            path.write_bytes(content)
        except OSError as error:
            raise StorageError(str(path), "a place that can be written", reason(error)) from error
        return path

    def _repr_html_(self) -> str:
        """For notebooks: never wider than the column."""
        return self._svg(" style='max-width:100%;height:auto'")

    def _svg(self, style: str = "") -> str:
        left, top, width, height = self.paper
        size = f"viewBox='{left} {top} {width} {height}' width='{width}' height='{height}'"
        head = f"<svg xmlns='http://www.w3.org/2000/svg' class='{CLASS}' {size}{style} role='img' {FONT}>"
        about = f"<title>{escape(legal(self.title))}</title><desc>{escape(legal(self.description))}</desc>"
        drawn = [f"<rect x='{left}' y='{top}' width='{width}' height='{height}' fill='white'/>"]
        drawn += [mark.svg for mark in self.marks]
        colors = set(re.findall("(?:fill|stroke)='([^']*)'", "".join(drawn)))
        dark = f"<style>@media (prefers-color-scheme:dark){{{dark_rules(colors)}}}</style>"
        return "\n".join([head, about, dark, *drawn, "</svg>"]) + "\n"


def ticks(low: float, high: float, most: int = 7) -> list[float]:
    """At most `most` round numbers in [low, high], in steps of 1, 2 or 5 times a power of ten."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        raise ArgumentError("ticks", "two finite numbers, the first smaller", (low, high))
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(power * m for m in (1, 2, 5, 10) if (high - low) / (power * m) <= most - 1 or m == 10)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]
