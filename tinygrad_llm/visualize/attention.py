"""Attention weights: recorded from a model, drawn as a heat map or over the words of a text, and heads ablated.

The layers need no hooks. `attention_weights` runs a copy of the tree in which a recorder wraps every attention layer,
and `ablate_heads` returns a copy whose output projections ignore some heads. The model itself stays unchanged.
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
from tinygrad_llm.visualize.words import visible

QUERY = "#cf5b16"
TEXT_WIDTH, SIZE, LINE, MARGIN = 780, 15, 25, 22
NARROW, WIDE = "iljtfrI.,!?'\";:", "mwMW"


def attention_weights(model: Module, *inputs: Any, **options: Any) -> list[np.ndarray]:
    """The attention weights of one forward pass: an array (B, H, T, S) a layer.

    Layers come in the order of the tree; one that did not run is missing. Weights are those before any dropout.
    """
    recorded: dict[str, np.ndarray] = {}
    recording: Any = replace(model, Attention, lambda path, layer: _Recorder(layer, path, recorded))
    with no_grad():
        recording(*inputs, **options)
    layers = [path for path, module in model.named_modules() if isinstance(module, Attention)]
    return [recorded[path] for path in layers if path in recorded]


def ablate_heads(model: Module, heads: Iterable[tuple[int, int]]) -> Any:
    """A copy of the model with some heads ablated: (layer, head), layers counted in the order of the tree.

    The outputs of the heads are concatenated before the output projection, so each column of its weight belongs to one
    head. In the copy the columns of ablated heads are zero; every other parameter is the model's own.

    Raises ArgumentError for a head that does not exist.
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


class _Recorder(Module):
    """An attention layer, and a record of its weights."""

    def __init__(self, layer: Any, path: str, recorded: dict[str, np.ndarray]) -> None:
        self.layer, self.path, self.recorded = layer, path, recorded

    def __call__(self, *args: Any, **options: Any) -> Tensor:
        recorded = {name: value for name, value in options.items() if name not in ("rng", "cache")}
        self.recorded[self.path] = self.layer.weights(*args, **recorded).numpy()
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
    """One head's weights (T, S) as a heat map: a row a query position, a column a key position.

    least  columns in which every weight is smaller are left out, so that a long text stays legible.

    Raises ArgumentError where shapes do not fit, or nothing is left.
    """
    weights = np.asarray(weights, dtype=float)
    if weights.shape != (len(rows), len(columns)):
        raise ArgumentError("weights", f"one head's (T, S) = {(len(rows), len(columns))}", weights.shape)
    kept = [j for j in range(len(columns)) if (weights[:, j] >= least).any()]
    return heat_map(weights[:, kept], rows, [columns[j] for j in kept], title=title, subtitle=subtitle, numbers=numbers)


def attention_text(
    queries: Sequence[tuple[Sequence[str], int, np.ndarray, str]],
    *,
    title: str,
    subtitle: str = "",
    bold: Iterable[str] = (),
) -> Figure:
    """A text for each query, every word as dark as its attention weight; the query word has a frame.

    queries  (the words, the place of the query among them, its weights (S,) for all words, a caption).
    bold     words to be printed bold: names, for instance.

    Words are tokens, of which all is visible: " the" is printed as ␣the.

    Raises ArgumentError where there is nothing to draw, or the weights do not fit the words.
    """
    if not queries or any(np.shape(w) != (len(words),) or not 0 <= at < len(words) for words, at, w, _ in queries):
        found = [(len(words), at, np.shape(w)) for words, at, w, _ in queries]
        raise ArgumentError("queries", "at least one, a weight for each word, and one of the words", found)
    names = set(bold)
    panels = [laid_out(words, names) for words, _, _, _ in queries]
    most = [visible(words[int(np.argmax(weights))]) for words, _, weights, _ in queries]
    told = "; ".join(f"{line} Most weight: {word}" for (_, _, _, line), word in zip(queries, most))
    figure = Figure(TEXT_WIDTH, 62 + sum(h for _, h in panels), title, told)
    figure.text((MARGIN, 28), title, INK, 17, weight=600)
    figure.text((MARGIN, 47), subtitle, PALE_INK, 12)
    top = 62
    for (words, query, weights, line), (places, height) in zip(queries, panels):
        figure.text((MARGIN, top + 18), line, QUERY, 13, weight=600)
        for i, (word, (left, row, width)) in enumerate(zip(words, places)):
            corner, weight = (left, top + 28 + LINE * row), float(weights[i])
            figure.rect(corner, width, LINE - 5, shade(weight))
            if i == query:
                figure.rect(corner, width, LINE - 5, "none", edge=QUERY)
            color = QUERY if i == query else "#ffffff" if weight > 0.45 else INK
            boldness = 700 if word in names or i == query else 400
            figure.text(
                (left + width / 2, corner[1] + 15), visible(word), color, SIZE, anchor="middle", weight=boldness
            )
        top += height
    return figure


def laid_out(words: Sequence[str], bold: set[str]) -> tuple[list[tuple[float, int, float]], int]:
    """The place of each word: (left, line, width), and the height of the panel.

    A font's own widths are not known here, so they are estimated, generously, and each word is centred in its place.
    """
    places: list[tuple[float, int, float]] = []
    left, row = float(MARGIN), 0
    for i, word in enumerate(words):
        ems = sum(0.34 if c in NARROW else 0.92 if c in WIDE else 0.72 if c.isupper() else 0.58 for c in visible(word))
        mark = not word.strip()[:1].isalnum()
        width = SIZE * ems * (1.08 if word in bold else 1) + (1 if mark else 6)
        attached = mark and word != '"' and i > 0  # a full stop does not begin a line
        if left + width > TEXT_WIDTH - MARGIN and not attached:
            left, row = float(MARGIN), row + 1
        places.append((left, row, width))
        left += width + 1
    return places, LINE * (row + 1) + 44
