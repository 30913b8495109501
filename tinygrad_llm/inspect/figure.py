"""A drawing in SVG: a self-contained text that every browser shows, and the few marks that charts are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from tinygrad_llm.errors import ArgumentError, StorageError

FONT = "font-family='system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif'"
INK, PALE_INK, GRID = "#24292f", "#6e7781", "#e6e8eb"
Point = tuple[float, float]


@dataclass
class Figure:
    """Marks are added in pixels, (0, 0) at the top left; `svg` is the whole drawing."""

    width: int
    height: int
    title: str
    description: str = ""
    parts: list[str] = field(default_factory=list)

    def line(self, a: Point, b: Point, color: str = GRID, width: float = 1, dash: str = "") -> None:
        """A straight line."""
        style = f" stroke-dasharray='{dash}'" if dash else ""
        self.parts.append(
            f"<line x1='{a[0]:.1f}' y1='{a[1]:.1f}' x2='{b[0]:.1f}' y2='{b[1]:.1f}' "
            f"stroke='{color}' stroke-width='{width}'{style}/>"
        )

    def path(self, points: Sequence[Point], color: str, width: float = 1.5, opacity: float = 1) -> None:
        """A line through points."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(
            f"<polyline points='{places}' fill='none' stroke='{color}' stroke-width='{width}' "
            f"stroke-opacity='{opacity}' stroke-linejoin='round'/>"
        )

    def dot(self, at: Point, color: str, radius: float = 3) -> None:
        """A filled circle with a white rim."""
        self.parts.append(
            f"<circle cx='{at[0]:.1f}' cy='{at[1]:.1f}' r='{radius}' fill='{color}' stroke='white' stroke-width='1'/>"
        )

    def rect(self, at: Point, width: float, height: float, color: str, edge: str = "none") -> None:
        """A filled rectangle; `at` is its upper left corner."""
        self.parts.append(
            f"<rect x='{at[0]:.1f}' y='{at[1]:.1f}' width='{width:.1f}' height='{height:.1f}' fill='{color}' "
            f"stroke='{edge}' rx='{4 if edge != 'none' else 0}'/>"
        )

    def arrow(self, a: Point, b: Point, color: str, bend: float = 0) -> None:
        """A line from a to b with a head at b; bent, it passes so many pixels below their middle (or above)."""
        middle = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + 2 * bend
        start = middle if bend else a
        length = math.hypot(b[0] - start[0], b[1] - start[1]) or 1.0
        ux, uy = (b[0] - start[0]) / length, (b[1] - start[1]) / length
        if bend:
            curve = f"M{a[0]:.1f},{a[1]:.1f} Q{middle[0]:.1f},{middle[1]:.1f} {b[0]:.1f},{b[1]:.1f}"
            self.parts.append(f"<path d='{curve}' fill='none' stroke='{color}' stroke-width='1.2'/>")
        else:
            self.line(a, b, color, 1.2)
        wings = [(b[0] - 8 * ux + s * 4 * uy, b[1] - 8 * uy - s * 4 * ux) for s in (1, -1)]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in (b, *wings))
        self.parts.append(f"<polygon points='{corners}' fill='{color}'/>")

    def text(
        self,
        at: Point,
        words: str,
        color: str = PALE_INK,
        size: int = 12,
        anchor: str = "start",
        weight: int = 400,
        turn: int = 0,
    ) -> None:
        """Words; anchor is start, middle or end; turned by so many degrees, clockwise."""
        turned = f" transform='rotate({turn} {at[0]:.1f} {at[1]:.1f})'" if turn else ""
        self.parts.append(
            f"<text x='{at[0]:.1f}' y='{at[1]:.1f}' fill='{color}' font-size='{size}' "
            f"text-anchor='{anchor}' font-weight='{weight}'{turned}>{escape(words)}</text>"
        )

    @property
    def svg(self) -> str:
        """The drawing as text."""
        size = f"viewBox='0 0 {self.width} {self.height}' width='{self.width}' height='{self.height}'"
        head = f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img' {FONT}>"
        about = f"<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>"
        paper = f"<rect width='{self.width}' height='{self.height}' fill='white'/>"
        return "\n".join([head, about, paper, *self.parts, "</svg>"]) + "\n"

    def _repr_html_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Writes the drawing as .svg.  Raises ArgumentError for another ending, StorageError where the disk refuses."""
        path = Path(path)
        if path.suffix != ".svg":
            raise ArgumentError("path", "a name that ends with .svg", path.name)
        try:
            path.write_text(self.svg, encoding="utf-8")
        except OSError as error:
            raise StorageError(str(path), "a place that can be written", error.strerror) from error
        return path


def ticks(low: float, high: float, most: int = 7) -> list[float]:
    """At most `most` round numbers in [low, high], in steps of 1, 2 or 5 times a power of ten."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        raise ArgumentError("ticks", "two finite numbers, the first smaller", (low, high))
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(power * m for m in (1, 2, 5, 10) if (high - low) / (power * m) <= most - 1 or m == 10)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]
