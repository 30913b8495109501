"""The marks that a drawing consists of. Positions and lengths are in pixels, (0, 0) at the top left, y downwards."""

from __future__ import annotations

import math
from base64 import b64encode
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]
EM = 0.6
"""About the width of a letter, as a share of the font's size: fonts differ, and are not known here."""


@dataclass(frozen=True)
class Stroke:
    """A straight line; `dash` is the lengths of stroke and gap."""

    a: Point
    b: Point
    color: str
    width: float
    dash: tuple[float, ...]

    @property
    def svg(self) -> str:
        """As an SVG element."""
        style = f" stroke-dasharray='{' '.join(f'{d:g}' for d in self.dash)}'" if self.dash else ""
        return (
            f"<line x1='{self.a[0]:.1f}' y1='{self.a[1]:.1f}' x2='{self.b[0]:.1f}' y2='{self.b[1]:.1f}' "
            f"stroke='{self.color}' stroke-width='{self.width}'{style}/>"
        )


@dataclass(frozen=True)
class Polyline:
    """A line through points."""

    points: tuple[Point, ...]
    color: str
    width: float
    opacity: float

    @property
    def svg(self) -> str:
        """As an SVG element."""
        return (
            f"<polyline points='{_places(self.points)}' fill='none' stroke='{self.color}' stroke-width='{self.width}' "
            f"stroke-opacity='{self.opacity}' stroke-linejoin='round'/>"
        )


@dataclass(frozen=True)
class Circle:
    """A filled circle with a white rim."""

    at: Point
    color: str
    radius: float

    @property
    def svg(self) -> str:
        """As an SVG element."""
        return (
            f"<circle cx='{self.at[0]:.1f}' cy='{self.at[1]:.1f}' r='{self.radius}' fill='{self.color}' "
            "stroke='white' stroke-width='1'/>"
        )


@dataclass(frozen=True)
class Rectangle:
    """A filled rectangle; `at` is its upper left corner. With an edge, its corners are round.

    color  "#rrggbb", or "#rrggbbaa" for one through which the paper is seen.
    """

    at: Point
    width: float
    height: float
    color: str
    edge: str

    @property
    def svg(self) -> str:
        """As an SVG element."""
        opacity = f" fill-opacity='{int(self.color[7:], 16) / 255:.3g}'" if len(self.color) == 9 else ""
        return (
            f"<rect x='{self.at[0]:.1f}' y='{self.at[1]:.1f}' width='{self.width:.1f}' height='{self.height:.1f}' "
            f"fill='{self.color[:7]}'{opacity} stroke='{self.edge}' rx='{self.rounding}'/>"
        )

    @property
    def rounding(self) -> int:
        """The radius of its corners."""
        return 4 if self.edge != "none" else 0


@dataclass(frozen=True)
class Curve:
    """A parabola from a to b, drawn towards `middle`."""

    a: Point
    middle: Point
    b: Point
    color: str
    width: float

    @property
    def svg(self) -> str:
        """As an SVG element."""
        (ax, ay), (mx, my), (bx, by) = self.a, self.middle, self.b
        way = f"M{ax:.1f},{ay:.1f} Q{mx:.1f},{my:.1f} {bx:.1f},{by:.1f}"
        return f"<path d='{way}' fill='none' stroke='{self.color}' stroke-width='{self.width}'/>"


@dataclass(frozen=True)
class Polygon:
    """A filled polygon."""

    corners: tuple[Point, ...]
    color: str

    @property
    def svg(self) -> str:
        """As an SVG element."""
        return f"<polygon points='{_places(self.corners)}' fill='{self.color}'/>"


@dataclass(frozen=True)
class Picture:
    """A PNG file, its upper left corner at `at`; each of its pixels is a rectangle, whatever the size."""

    at: Point
    width: float
    height: float
    png: bytes

    @property
    def svg(self) -> str:
        """As an SVG element, the file within it."""
        return (
            f"<image x='{self.at[0]:.1f}' y='{self.at[1]:.1f}' width='{self.width:.1f}' height='{self.height:.1f}' "
            f"preserveAspectRatio='none' style='image-rendering:pixelated' "
            f"href='data:image/png;base64,{b64encode(self.png).decode()}'/>"
        )


@dataclass(frozen=True)
class Text:
    """Text with its baseline at `at`; anchor is start, middle or end; rotated clockwise, in degrees."""

    at: Point
    words: str
    color: str
    size: float
    anchor: str
    weight: int
    rotation: float

    @property
    def ends(self) -> tuple[Point, Point]:
        """About where its first letter begins and its last one ends."""
        length = EM * self.size * len(self.words)
        before = {"start": 0.0, "middle": length / 2, "end": length}[self.anchor]
        across, down = math.cos(math.radians(self.rotation)), math.sin(math.radians(self.rotation))
        first, last = ((self.at[0] + far * across, self.at[1] + far * down) for far in (-before, length - before))
        return first, last

    @property
    def svg(self) -> str:
        """As an SVG element."""
        rotated = f" transform='rotate({self.rotation} {self.at[0]:.1f} {self.at[1]:.1f})'" if self.rotation else ""
        return (
            f"<text x='{self.at[0]:.1f}' y='{self.at[1]:.1f}' fill='{self.color}' font-size='{self.size}' "
            f"text-anchor='{self.anchor}' font-weight='{self.weight}'{rotated}>{escape(self.words)}</text>"
        )


Mark = Stroke | Polyline | Circle | Rectangle | Curve | Polygon | Picture | Text


def _places(points: tuple[Point, ...]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
