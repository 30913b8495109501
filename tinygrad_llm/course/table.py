"""Tables for a terminal: rows under heads, folded where they would be too wide."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

GAP = "  "
WIDTH = 80
"""Columns of a terminal."""
LONGEST_WORD = 24
"""Letters of a word that is never broken."""
DIGITS, EXPONENT_FROM = 3, 1e7


def table(rows: Sequence[Sequence[Any]], heads: Sequence[str], width: int | None = WIDTH, digits: int = DIGITS) -> str:
    """Rows under heads; numbers to the right, words to the left.

    width   the most columns of the terminal that a line takes; None: as many as it needs. Where they are too few, words
            wrap, the widest column's first; where that is not enough, more columns stand in a second table below,
            behind the first one again.
    digits  significant digits of what is not a whole number.
    """
    cells = [[cell(value, digits) for value in row] for row in rows]
    columns = [[head, *(row[i] for row in cells)] for i, head in enumerate(heads)]
    right = [all(isinstance(row[i], int | float | np.number) for row in rows) for i in range(len(heads))]
    if width is None:
        return _block(columns, right, [max(map(len, column)) for column in columns])
    least = [max(map(_longest_word, column)) for column in columns]
    blocks = []
    for chosen in _blocks(least, width):
        taken = [columns[i] for i in chosen]
        blocks.append(_block(taken, [right[i] for i in chosen], _widths(taken, [least[i] for i in chosen], width)))
    return "\n\n".join(blocks)


def cell(value: Any, digits: int = DIGITS) -> str:
    """How a value is shown: floats to some significant digits, but never less than their whole part."""
    if not isinstance(value, float | np.floating):
        return str(value)
    number = float(value)
    return f"{number:.0f}" if 10**digits - 0.5 <= abs(number) < EXPONENT_FROM else f"{number:.{digits}g}"


def _longest_word(text: str) -> int:
    """Columns that it needs where it is wrapped."""
    return min(LONGEST_WORD, max(map(len, textwrap.wrap(text, 1, break_long_words=False)), default=0))


def _span(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _blocks(least: Sequence[int], width: int) -> list[list[int]]:
    """The numbers of the columns of each table: as many as fit, the first one in each."""
    blocks = [[0]]
    for i in range(1, len(least)):
        if len(blocks[-1]) > 1 and _span([least[j] for j in [*blocks[-1], i]]) > width:
            blocks.append([0])
        blocks[-1].append(i)
    return blocks


def _widths(columns: Sequence[Sequence[str]], least: Sequence[int], width: int) -> list[int]:
    """The widest is made narrower until all fit: first those whose words can wrap, then by breaking words."""
    widths = [max(map(len, column)) for column in columns]
    while _span(widths) > width and max(widths) > 1:
        can_wrap = [i for i, (w, fewest) in enumerate(zip(widths, least)) if w > fewest]
        widths[max(can_wrap or range(len(widths)), key=lambda i: widths[i])] -= 1
    return widths


def _block(columns: Sequence[Sequence[str]], right: Sequence[bool], widths: Sequence[int]) -> str:
    """One table: the heads, a rule, the rows."""
    heads, *body = [_lines(values, widths, right) for values in zip(*columns)]
    return "\n".join([*heads, GAP.join("-" * w for w in widths), *(line for lines in body for line in lines)])


def _lines(values: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    folded = [textwrap.wrap(v, w) if len(v) > w else [v] for v, w in zip(values, widths)]
    return [
        GAP.join(v.rjust(w) if r else v.ljust(w) for v, w, r in zip(line, widths, right)).rstrip()
        for line in zip_longest(*folded, fillvalue="")
    ]
