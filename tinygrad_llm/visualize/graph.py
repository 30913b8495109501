"""The computation graph as a drawing: what was computed from what, each value with its gradient and shape.

Parents stand to the left of what was made from them. A column is as far from the left as its longest path is long, so
that every arrow points to the right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor, Value
from tinygrad_llm.backend import to_device
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure

BOX, ROW, COLUMN, MARGIN = (132, 52), 70, 190, 24
LEAF, MADE = "#ddf4ff", "#f6f8fa"
MOST_NODES, NODES_TOLD = 200, 16
"""Of a graph that is drawn at all, and of those that its description tells of."""
LETTER = 7
"""Pixels that a letter of a slope is wide, at most."""
HEAD = 84
"""Pixels above the first row: the title, and arrows that go around."""


@dataclass(frozen=True)
class Box:
    """One node: its lines of text, the numbers of its parents, and words for the arrows from them."""

    lines: tuple[str, ...]
    parents: tuple[int, ...]
    slopes: tuple[str, ...]


def graph_figure(root: Value | Tensor, names: dict[str, Any] | None = None, title: str = "Computation graph") -> Figure:
    """Draws what `root` was made from.

    names  names for values or tensors of the graph: {"a": a, "b": b}.

    A Value shows its number and its gradient, and each arrow the slope d(child)/d(parent). A Tensor shows operation,
    shape and the norm of its gradient; call backward(retain_graph=True) first, which keeps the graph and the gradients
    of what is in between. Raises ArgumentError for a graph of more than 200 nodes.
    """
    called = {id(value): name for name, value in (names or {}).items()}
    if isinstance(root, Value):
        boxes = _boxes(root, lambda v: v.parents, lambda v: _value_box(v, called.get(id(v), "")))
    else:
        boxes = _boxes(root.node or root, _parents_of_node, lambda n: _node_box(n, called))
    columns = _columns(boxes)
    height = max(len(column) for column in columns)
    width = 2 * MARGIN + COLUMN * (len(columns) - 1) + BOX[0]
    figure = Figure(width, HEAD + MARGIN + ROW * height, title, _description(boxes))
    figure.text((MARGIN, 28), title, INK, 16, weight=600)
    places = {
        number: (MARGIN + COLUMN * x, HEAD + ROW * (y + (height - len(column)) / 2))
        for x, column in enumerate(columns)
        for y, number in enumerate(column)
    }
    for number, box in enumerate(boxes):
        x, y = places[number]
        uses = sorted(zip(box.parents, box.slopes), key=lambda use: _arrives(places[use[0]], places[number]))
        for turn, (parent, slope) in enumerate(uses):
            px, py = places[parent]
            end = (x, y + BOX[1] / 2 + 8 * (turn - (len(uses) - 1) / 2))
            start = (px + BOX[0], py + BOX[1] / 2)
            skipped = _skipped(px, x)  # around what stands between
            curvature = -(BOX[1] - 14 + 10 * skipped) if skipped else 0
            figure.arrow(start, end, PALE_INK, curvature)
            near = 0.5 if skipped or box.parents.count(parent) == 1 else 0.35 + 0.3 * turn
            steep = abs(end[1] - start[1]) / (end[0] - start[0])
            above = 4 if skipped else 4 + steep * LETTER * len(slope) / 2
            at = start[0] + near * (end[0] - start[0]), start[1] + near * (end[1] - start[1]) + curvature - above
            figure.text(at, slope, PALE_INK, 11, anchor="middle")
    for number, box in enumerate(boxes):
        x, y = places[number]
        figure.rect((x, y), *BOX, LEAF if not box.parents else MADE, PALE_INK)
        for i, line in enumerate(box.lines):
            figure.text(
                (x + BOX[0] / 2, y + BOX[1] / 2 + 4 + 15 * (i - (len(box.lines) - 1) / 2)),
                line,
                INK,
                12,
                anchor="middle",
                weight=600 if i == 0 else 400,
            )
    return figure


def _description(boxes: list[Box]) -> str:
    """How many nodes, and what each of the first says and was made from."""
    told = []
    for box in boxes[:NODES_TOLD]:
        parents = " and ".join(boxes[parent].lines[0] for parent in box.parents)
        told.append(", ".join(box.lines) + (f" (from {parents})" if parents else ""))
    more = f"; and {len(boxes) - NODES_TOLD} more" if len(boxes) > NODES_TOLD else ""
    return f"{len(boxes)} nodes: {'; '.join(told)}{more}"


def _skipped(px: float, x: float) -> int:
    """How many columns stand between."""
    return round((x - px) / COLUMN) - 1


def _arrives(parent: tuple[float, float], child: tuple[float, float]) -> tuple[bool, float]:
    """In which order arrows come in, from above: those that go around first, so that none cross."""
    return not _skipped(parent[0], child[0]), parent[1]


def _boxes(root: Any, parents_of: Callable[[Any], Sequence[Any]], box: Callable[[Any], tuple]) -> list[Box]:
    """All nodes, parents before children."""
    numbers: dict[int, int] = {}
    order: list[Any] = []
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            numbers[id(node)] = len(order)
            order.append(node)
        elif id(node) not in numbers:
            numbers[id(node)] = -1
            stack.append((node, True))
            stack.extend((parent, False) for parent in reversed(list(parents_of(node))) if id(parent) not in numbers)
        if len(numbers) > MOST_NODES:
            raise ArgumentError("graph_figure", f"at most {MOST_NODES} nodes", "more", "Draw a smaller example.")
    found = []
    for node in order:
        lines, slopes = box(node)
        parents = tuple(numbers[id(parent)] for parent in parents_of(node))
        found.append(Box(lines, parents, slopes or ("",) * len(parents)))
    return found


def _value_box(value: Value, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    head = f"{name} = {value.data:.4g}" if name else f"{value.data:.4g}"
    return (head, f"grad {value.grad:.4g}"), tuple(f"{slope:.3g}" for slope in value.slopes)


def _parents_of_node(node: Any) -> list[Any]:
    return [] if isinstance(node, Tensor) else [parent for parent in node.parents if parent is not None]


def _node_box(node: Any, called: dict[int, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    tensor = node if isinstance(node, Tensor) else node.tensor() if node.tensor is not None else None
    name = called.get(id(tensor), "leaf" if isinstance(node, Tensor) else node.name)
    grad = None if tensor is None else tensor.grad
    shown = "no gradient kept" if grad is None else f"|grad| {float(np.linalg.norm(to_device(grad, 'cpu'))):.3g}"
    return (name, str(tuple(node.shape)), shown), ()


def _columns(boxes: list[Box]) -> list[list[int]]:
    """By the longest path from a leaf; leaves stand right before their first use."""
    depth = [0] * len(boxes)
    for number, box in enumerate(boxes):
        depth[number] = max((depth[parent] + 1 for parent in box.parents), default=0)
    for number in reversed(range(len(boxes))):
        if not boxes[number].parents:
            uses = [depth[child] for child, box in enumerate(boxes) if number in box.parents]
            depth[number] = min(uses, default=1) - 1
    columns: list[list[int]] = [[] for _ in range(max(depth) + 1)]
    for number, column in enumerate(depth):
        columns[column].append(number)
    rank: dict[int, float] = {}
    for members in columns:  # as near as can be to what they were made from
        members.sort(key=lambda n: (float(np.mean([rank.get(p, 0.0) for p in boxes[n].parents] or [n])), n))
        rank.update({number: i - len(members) / 2 for i, number in enumerate(members)})
    return columns
