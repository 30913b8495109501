"""Tables for a terminal: rows under heads, folded where they would be too wide."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

GAP = "  "


def table(rows: Sequence[Sequence[Any]], heads: Sequence[str], width: int | None = None) -> str:
    """Rows under heads; numbers to the right, words to the left.

    width  the most columns of the terminal that a line takes: the widest column is made narrower, and its words wrap.
    """
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(heads), *cells]) for i in range(len(heads))]
    right = [all(isinstance(row[i], int | float | np.number) for row in rows) for i in range(len(heads))]
    while width is not None and sum(widths) + len(GAP) * (len(widths) - 1) > width and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1

    def lines(values: Sequence[str]) -> list[str]:
        folded = [textwrap.wrap(v, w) if len(v) > w else [v] for v, w in zip(values, widths)]
        return [_line(part, widths, right) for part in zip_longest(*folded, fillvalue="")]

    body = [line for values in cells for line in lines(values)]
    return "\n".join([*lines(heads), GAP.join("-" * w for w in widths), *body])


def cell(value: Any) -> str:
    """How a value is shown: floats to four digits."""
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def _line(values: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    return GAP.join(v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right)).rstrip()
