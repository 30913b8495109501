"""A figure's colors on a dark page: the drawing has those of a light one, and a rule a color for where it is dark.

The rules are CSS within the SVG, so a figure that is opened by itself follows the reader's setting too. Programs that
know no CSS show the light one.
"""

from __future__ import annotations

from collections.abc import Collection

CLASS = "drawing"
SCOPE = f".{CLASS}"
DARK = {
    "white": "#15181c", "#ffffff": "#15181c", "#24292f": "#e6edf3", "#6e7781": "#9aa4ae", "#e6e8eb": "#2d333b",
    "#0969da": "#58a6ff", "#cf5b16": "#f0883e", "#1a7f37": "#3fb950", "#8250df": "#bc8cff", "#bf3989": "#f778ba",
    "#57606a": "#b1bac4", "#9a6700": "#d29922", "#0e7490": "#39c5cf", "#8c959f": "#8c969f", "#afb8c1": "#6e7681",
    "#093f8c": "#79c0ff",
    "#ddf4ff": "#12324a", "#fff1e5": "#43301c", "#dafbe1": "#14391f", "#fbefff": "#38234a", "#f6f8fa": "#22272e",
    "#d0d7de": "#3d444d", "#b6d4fe": "#123a63", "#ffd8b5": "#5a3413", "#c7ebce": "#17472a",
}  # fmt: skip
"""For each color of a drawing the one that stands for it in the dark: paper, ink, lines, shades, grounds of words."""


def dark_rules(colors: Collection[str], scope: str = SCOPE) -> str:
    """CSS for the drawings that the selector `scope` finds; colors that have no partner stay."""
    return "".join(
        f"{scope} [{what}='{light}']{{{what}:{dark}}}"
        for light, dark in DARK.items()
        if light in colors
        for what in ("fill", "stroke")
    )
