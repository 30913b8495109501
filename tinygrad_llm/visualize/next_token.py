"""The distribution of the next token, as bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole
from tinygrad_llm.visualize.bars import bar_chart
from tinygrad_llm.visualize.figure import Figure
from tinygrad_llm.visualize.words import visible


def next_token_bars(
    probabilities: np.ndarray, tokens: Sequence[str], *, title: str, subtitle: str = "", most: int = 8
) -> Figure:
    """The most probable tokens, each with its probability in percent, and what is left for all others.

    probabilities  (V,), tokens[i] being the text of number i; all of it is visible: " the" is shown as ␣the.

    Raises ArgumentError where the numbers are no probabilities of these tokens, or `most` no whole number.
    """
    check_whole(most=most)
    p = np.asarray(probabilities, dtype=float)
    if p.shape != (len(tokens),) or not p.size or not (p >= 0).all() or abs(p.sum() - 1) > 1e-3:
        wanted = f"{len(tokens)} numbers, none negative, 1 in all"
        raise ArgumentError("probabilities", wanted, f"shape {p.shape}, sum {p.sum():.4g}")
    best = np.argsort(-p, kind="stable")[:most]
    bars: dict[str, float] = {}
    for i in best:
        name = visible(tokens[i])
        while name in bars:
            name += f" (number {i})"
        bars[name] = 100 * float(p[i])
    if len(tokens) > most:
        rest = f"{len(tokens) - most} others"
        while rest in bars:  # a token that is spelled so
            rest = f"the {rest}"
        bars[rest] = 100 * max(0.0, 1 - float(p[best].sum()))
    return bar_chart(bars, title=title, subtitle=subtitle, unit=" %")
