"""Where attention looks: read from a model, drawn as a heat map or over the words of a text, taken out head by head.

The layers know nothing of being watched. `attention_weights` runs a copy of the tree in which an observer stands around
every attention layer, and `without_heads` returns a copy whose output projections ignore some heads. The model itself
stays as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.nn import Attention, Module, Parameter, replace
from tinygrad_llm.visualize.chart import heat_map, shade
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure

ASKS = "#cf5b16"
TEXT_WIDTH, SIZE, LINE, MARGIN = 780, 15, 25, 22
NARROW, WIDE = "iljtfrI.,!?'\";:", "mwMW"


def attention_weights(model: Module, *inputs: Any, **options: Any) -> list[np.ndarray]:
    """The shares with which each position looks at each, in one call of the model: an array (B, H, T, S) a layer.

    Layers come in the order of the tree; one that did not run is missing. Shares are those before any dropout.
    """
    seen: dict[str, np.ndarray] = {}
    watched: Any = replace(model, Attention, lambda path, layer: _Watched(layer, path, seen))
    with no_grad():
        watched(*inputs, **options)
    return [seen[path] for path, module in model.named_modules() if isinstance(module, Attention) and path in seen]


def without_heads(model: Module, heads: Iterable[tuple[int, int]]) -> Any:
    """A copy of the model that does without some heads: (layer, head), layers counted in the order of the tree.

    The answers of the heads stand side by side before the output projection, so each of its columns belongs to one
    head. In the copy those of the heads taken out are zero; every other parameter is shared.

    Raises ArgumentError for a head that is not there.
    """
    layers = [(path, layer) for path, layer in model.named_modules() if isinstance(layer, Attention)]
    gone: dict[str, list[int]] = {path: [] for path, _ in layers}
    for number, head in heads:
        if not 0 <= number < len(layers) or not 0 <= head < layers[number][1].n_head:
            raise ArgumentError("heads", f"pairs (layer below {len(layers)}, one of its heads)", (number, head))
        gone[layers[number][0]].append(head)

    def with_less(path: str, layer: Any) -> Module:
        twin, projection = copy.copy(layer), copy.copy(layer.o_proj)
        weight = projection.weight.data.copy()
        for head in gone[path]:
            weight[:, head * layer.value_size : (head + 1) * layer.value_size] = 0
        projection.weight = Parameter(weight)
        twin.o_proj = projection
        return twin

    return replace(model, Attention, with_less)


class _Watched(Module):
    """An attention layer, and a note of where it looked."""

    def __init__(self, layer: Any, path: str, seen: dict[str, np.ndarray]) -> None:
        self.layer, self.path, self.seen = layer, path, seen

    def __call__(self, *args: Any, **options: Any) -> Tensor:
        watched = {name: value for name, value in options.items() if name not in ("rng", "cache")}
        self.seen[self.path] = self.layer.weights(*args, **watched).numpy()
        return self.layer(*args, **options)


def attention_figure(
    weights: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    subtitle: str = "",
    least: float = 0.0,
    numbers: bool = False,
) -> Figure:
    """One head's shares (T, S) as a heat map: a row for each position that looks, a column for each looked at.

    least  columns in which no row has as much are left out, so that a long text stays legible.

    Raises ArgumentError where shapes do not fit, or nothing is left.
    """
    weights = np.asarray(weights, dtype=float)
    if weights.shape != (len(rows), len(columns)):
        raise ArgumentError("weights", f"one head's (T, S) = {(len(rows), len(columns))}", weights.shape)
    kept = [j for j in range(len(columns)) if (weights[:, j] >= least).any()]
    return heat_map(weights[:, kept], rows, [columns[j] for j in kept], title=title, subtitle=subtitle, numbers=numbers)


def attention_text(
    looks: Sequence[tuple[Sequence[str], int, np.ndarray, str]],
    *,
    title: str,
    subtitle: str = "",
    bold: Iterable[str] = (),
) -> Figure:
    """A text for each look, every word as dark as the share that it gets; the word that asks has a frame.

    looks  (the words, which of them asks, the shares (S,) that it gives to all, a line to stand above).
    bold   words to be printed bold: names, for instance.

    Raises ArgumentError where there is nothing to draw, or the shares do not fit the words.
    """
    if not looks or any(np.shape(s) != (len(words),) or not 0 <= at < len(words) for words, at, s, _ in looks):
        found = [(len(words), at, np.shape(s)) for words, at, s, _ in looks]
        raise ArgumentError("looks", "at least one, a share for each word, and one of the words asking", found)
    names = set(bold)
    panels = [_set(words, names) for words, _, _, _ in looks]
    figure = Figure(TEXT_WIDTH, 62 + sum(h for _, h in panels), title, "; ".join(line for _, _, _, line in looks))
    figure.text((MARGIN, 28), title, INK, 17, weight=600)
    figure.text((MARGIN, 47), subtitle, PALE_INK, 12)
    top = 62
    for (words, asks, shares, line), (places, height) in zip(looks, panels):
        figure.text((MARGIN, top + 18), line, ASKS, 13, weight=600)
        for i, (word, (left, row, width)) in enumerate(zip(words, places)):
            corner, share = (left, top + 28 + LINE * row), float(shares[i])
            figure.rect(corner, width, LINE - 5, shade(share))
            if i == asks:
                figure.rect(corner, width, LINE - 5, "none", edge=ASKS)
            color = ASKS if i == asks else "#ffffff" if share > 0.45 else INK
            weight = 700 if word in names or i == asks else 400
            figure.text((left + width / 2, corner[1] + 15), word, color, SIZE, anchor="middle", weight=weight)
        top += height
    return figure


def _set(words: Sequence[str], bold: set[str]) -> tuple[list[tuple[float, int, float]], int]:
    """Where each word stands: (left, line, width), and the height of the panel.

    A font's own widths are not known here, so they are guessed, generously, and each word is centred in its place.
    """
    places: list[tuple[float, int, float]] = []
    left, row = float(MARGIN), 0
    for i, word in enumerate(words):
        ems = sum(0.34 if c in NARROW else 0.92 if c in WIDE else 0.72 if c.isupper() else 0.58 for c in word)
        mark = not word[:1].isalnum()
        width = SIZE * ems * (1.08 if word in bold else 1) + (1 if mark else 6)
        clings = mark and word != '"' and i > 0  # a full stop does not begin a line
        if left + width > TEXT_WIDTH - MARGIN and not clings:
            left, row = float(MARGIN), row + 1
        places.append((left, row, width))
        left += width + 1
    return places, LINE * (row + 1) + 44
