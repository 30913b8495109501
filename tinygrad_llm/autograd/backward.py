"""backward(): the chain rule, once, for all operations.

The gradient of an intermediate is complete only when everything that used it has been visited. So the graph is put in
topological order first, and walked from the end. What every operation would otherwise have to do is done here: undoing
of broadcasting, adding up, freeing, and the checks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.autograd.mode import MODE
from tinygrad_llm.autograd.sink import WRITTEN, GradientSink, SoFar
from tinygrad_llm.autograd.tensor import Node, Tensor
from tinygrad_llm.backend import Array, add, cast, is_half, namespace, sum_over
from tinygrad_llm.errors import GradientError, NonFiniteError, ShapeError


def backward(root: Tensor, gradient: Any, retain_graph: bool, sink: GradientSink | None) -> None:
    """See Tensor.backward."""
    if not root.requires_grad:
        next_step = "Nothing it was made from has requires_grad=True, or it was made under no_grad()."
        raise GradientError("backward", "a tensor that requires a gradient", "one that does not", next_step)
    start: Entry = root.node or root
    order = topological_order(start)
    _check_graph(order)
    pending = Pending(sink)
    pending.add(start, _seed(root, gradient))
    check_finite = MODE.get().detect_anomaly
    while order:
        node = order.pop()  # the last one first; popping frees each node as soon as it is done
        g = pending.take(node)
        if g is None:
            continue
        _visit(node, g, pending, check_finite)
        if not retain_graph:
            node.vjp, node.parents, node.seen = None, (), []  # type: ignore[assignment]
        elif (tensor := node.tensor()) is not None:
            tensor.grad = g.copy() if tensor.grad is None else _sum(tensor.grad, g)


Entry = Node | Tensor
"""A place in the graph: the node of an intermediate, or a leaf itself."""


def topological_order(start: Entry) -> list[Node]:
    """Every node that `start` was made from, parents before children, without recursion: depth has no limit."""
    order: list[Node] = []
    entered: set[int] = set()
    stack: list[tuple[Any, bool]] = [(start, False)]
    while stack:
        entry, done = stack.pop()
        if done:
            order.append(entry)
        elif isinstance(entry, Node) and id(entry) not in entered:
            entered.add(id(entry))
            stack.append((entry, True))
            stack.extend([(parent, False) for parent in entry.parents if parent is not None])
    return order


class Pending:
    """Gradients of which more terms may come.

    Of an intermediate, the first term is borrowed, the second makes a sum that is owned, the third adds in place: a
    borrowed array, which two parents may have been given together, is never written. Of a leaf, all are owned.
    """

    def __init__(self, sink: GradientSink | None) -> None:
        self.sink = sink
        self.sums: dict[int, Array] = {}
        self.owned: set[int] = set()

    def add(self, entry: Entry, term: Array, source: str = "backward") -> None:
        """Adds one term of dL/d(entry), which `source` computed."""
        assert term.shape == entry.shape, f"{source}: gradient of shape {term.shape} for {entry.shape}"
        assert term.dtype == entry.dtype, f"{source}: gradient of dtype {term.dtype} for {entry.dtype}"
        if isinstance(entry, Tensor):
            self._add_to_leaf(entry, term)
            return
        key = id(entry)
        total = self.sums.get(key)
        if total is None:
            self.sums[key] = term
        elif key in self.owned:
            add(total, term, out=total)
        else:
            self.sums[key] = _sum(total, term)
            self.owned.add(key)

    def need(self, entry: Entry) -> Any:
        """What a vjp is told of a parent that wants a gradient: a leaf's place, an intermediate's gradient so far, or
        True."""
        if isinstance(entry, Tensor):
            return (self.sink.place(entry) if self.sink is not None else None) or True
        total = self.sums.get(id(entry))
        return True if total is None else SoFar(total)

    def replace(self, node: Node, so_far: Array, total: Array, source: str) -> None:
        """`total` is `so_far` and a new term, which `source` computed, in an array that nobody else has."""
        assert self.sums.pop(id(node)) is so_far, f"{source}: takes the gradient so far of a parent that it has twice"
        self.add(node, total, source)
        self.owned.add(id(node))

    def take(self, node: Node) -> Array | None:
        """dL/d(node), complete by now; None where no term came."""
        self.owned.discard(id(node))
        return self.sums.pop(id(node), None)

    def _add_to_leaf(self, leaf: Tensor, term: Array) -> None:
        place = self.sink.place(leaf) if self.sink is not None else None
        if place is not None:
            place.add(term)
        elif leaf.grad is None:
            leaf.grad = term.copy()
        else:
            add(leaf.grad, term, out=leaf.grad)


def _sum(a: Array, b: Array) -> Array:
    """a + b, an array also where both have no axes: NumPy makes a scalar of those."""
    return namespace(a).asarray(add(a, b))


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """The gradient of an array of `shape` that was broadcast to g.shape: the sum over every axis that was stretched."""
    if g.shape == shape:
        return g
    g = sum_over(g, tuple(range(g.ndim - len(shape)))) if g.ndim > len(shape) else g
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and g.shape[i] != 1)
    g = sum_over(g, stretched, keepdims=True) if stretched else g
    return np.asarray(g) if isinstance(g, np.generic) else g


def _visit(node: Node, g: Array, pending: Pending, check_finite: bool) -> None:
    """Adds the node's terms to the gradients of its parents."""
    needs = tuple([need and pending.need(parent) for parent, need in zip(node.parents, node.needs)])
    terms = node.vjp(g, needs)
    if not isinstance(terms, tuple):
        terms = (terms,)
    for parent, need, term in zip(node.parents, needs, terms):
        if need and term is not WRITTEN:
            if isinstance(term, np.generic):
                term = np.asarray(term)
            if check_finite and not bool(namespace(term).isfinite(term).all()):
                next_step = "Its value was finite: the derivative is not."
                raise NonFiniteError(f"gradient of {node.name}", "finite numbers", "NaN or infinity", next_step)
            if isinstance(need, SoFar) and need.taken:
                pending.replace(parent, need.array, term, node.name)
            else:
                pending.add(parent, _rounded(unbroadcast(term, parent.shape), parent.dtype), node.name)


def _rounded(g: Array, dtype: Any) -> Array:
    """g in bfloat16 where its array is: CuPy computes `0.5 * g` in float32."""
    return cast(g, dtype) if g.dtype != dtype and is_half(dtype) and g.dtype == np.float32 else g


def _seed(root: Tensor, gradient: Any) -> Array:
    xp = namespace(root.data)
    if gradient is None:
        if root.size != 1:
            next_step = "Reduce it to one number first (.sum(), .mean()), or pass gradient=."
            raise ShapeError("backward", "a single number", f"shape {root.shape}", next_step)
        return xp.ones_like(root.data)
    seed = xp.asarray(gradient.data if isinstance(gradient, Tensor) else gradient, dtype=root.dtype)
    if seed.shape != root.shape:
        raise ShapeError("gradient", f"shape {root.shape}", seed.shape)
    return seed


def _check_graph(order: list[Node]) -> None:
    """Raises GradientError where a node was freed, or where an array that it captured was changed since."""
    for node in order:
        if node.vjp is None:
            next_step = "Compute the loss again, or call backward(retain_graph=True) the first time."
            raise GradientError("backward", "a graph that is whole", "one freed by an earlier backward()", next_step)
        for storage, version in node.seen:
            if storage.version != version:
                got = f"one that was changed in place {storage.version - version} time(s) since"
                next_step = "Compute the loss again after the update."
                raise GradientError(node.name, "its arrays as they were", got, next_step)
