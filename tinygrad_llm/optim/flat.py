"""Flat storage: all parameters in one array, each a view into it.

Clipping and updating are then a few passes over one array, in pieces that fit the cache, instead of a loop over a
hundred small ones; and a thread can take any range of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_llm.autograd import GradientSink, Storage, Tensor, read_only
from tinygrad_llm.backend import Array, device_of, namespace, to_device_of
from tinygrad_llm.errors import ArgumentError, DtypeError, GradientError

Parameters = Iterable[Tensor] | Iterable[tuple[str, Tensor]]
"""What an optimizer takes: `model.parameters()`, or `model.named_parameters()`, whose names it keeps."""


class FlatParameters:
    """Moves parameters into one array. Those for which `decays` is true come first: [0, n_decaying) of the array.

    The parameters keep their identity, shapes and values; only their memory is new, and shared by one version counter.

    parameters  those that require a gradient, in the order of the array.
    names       their names in the same order: the given ones, or "parameter 0", "parameter 1", ... as they were passed.

    Raises ArgumentError for anything but tensors and for one that is given twice, DtypeError for more than one dtype.
    """

    def __init__(self, parameters: Parameters, decays: Callable[[Tensor], bool]) -> None:
        trained = [(name, p) for name, p in _named(parameters) if p.requires_grad]
        if not trained:
            raise ArgumentError("parameters", "at least one that requires a gradient", "none")
        if len(dtypes := {str(p.dtype) for _, p in trained}) > 1:
            raise DtypeError("parameters", "one dtype throughout", sorted(dtypes))
        trained.sort(key=lambda item: not decays(item[1]))  # stable: within each half the order stays
        self.names = [name for name, _ in trained]
        self.parameters = [p for _, p in trained]
        self.n_decaying = sum(p.size for p in self.parameters if decays(p))
        self._move()

    def _move(self) -> None:
        """Makes one array of the parameters' own, and the parameters views into it."""
        xp = namespace(self.parameters[0].data)
        self.data = xp.concatenate([p.data.reshape(-1) for p in self.parameters])
        self.storage = Storage()
        self.views: list[Array] = []
        start = 0
        for p in self.parameters:
            p.data = read_only(self.data[start : start + p.size].reshape(p.shape))
            p.storage = self.storage
            self.views.append(p.data)
            start += p.size

    def __getstate__(self) -> dict[str, Any]:
        self.check()
        return {"names": self.names, "parameters": self.parameters, "n_decaying": self.n_decaying}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of a deep copy or a pickle: the copied parameters have memory of their own, which becomes one array again."""
        vars(self).update(state)
        self._move()

    def new_sink(self) -> GradientSink:
        """A fresh set of places for gradients, one array in the same order."""
        return GradientSink(self.parameters, namespace(self.data).zeros_like(self.data))

    def gather(self, out: Array) -> Array:
        """The parameters' .grad arrays, copied into `out` in the flat order.  Raises GradientError where one is
        missing."""
        missing = [f"{name} {p.shape}" for name, p in zip(self.names, self.parameters) if p.grad is None]
        if missing:
            next_step = "Call loss.backward() first, or set requires_grad = False for what is not trained."
            raise GradientError("step", "a gradient for every parameter", f"none for {', '.join(missing)}", next_step)
        start = 0
        for p in self.parameters:
            out[start : start + p.size] = to_device_of(p.grad, out).reshape(-1)
            start += p.size
        return out

    def check(self) -> None:
        """Raises GradientError where a parameter's array has been replaced: an update would not reach it."""
        for name, p, view in zip(self.names, self.parameters, self.views):
            if p.data is not view:
                expected, got = "each parameter in its place in the flat array", f"a replaced array of {name} {p.shape}"
                next_step = "Use p.assign(values) or load_state_dict(), which copy into the memory."
                raise GradientError("step", expected, got, next_step)


def _named(parameters: Any) -> list[tuple[str, Tensor]]:
    """Every parameter with its name.  Raises ArgumentError for anything but tensors, each once."""
    expected = "an iterable of tensors, or of (name, tensor) pairs"
    if isinstance(parameters, Tensor) or not hasattr(parameters, "__iter__"):
        got = f"a {type(parameters).__name__}"
        raise ArgumentError("parameters", expected, got, "Pass model.parameters(), or [tensor] for a single one.")
    named = [x if isinstance(x, tuple) else (f"parameter {i}", x) for i, x in enumerate(parameters)]
    seen: dict[int, str] = {}
    for item in named:
        if len(item) != 2 or not isinstance(item[0], str) or not isinstance(item[1], Tensor):
            raise ArgumentError("parameters", expected, f"{item!r:.60}", "Pass model.parameters().")
        name, p = item
        if id(p) in seen:
            got = f"{seen[id(p)]} and {name}, which are one tensor of shape {p.shape}"
            raise ArgumentError("parameters", "each tensor once", got, "Its gradient is the sum of all its uses.")
        seen[id(p)] = name
    return named


def chunks(like: Array, start: int, stop: int) -> Iterable[slice]:
    """Slices that cover [start, stop): pieces that fit a CPU's cache, or the whole at once on a GPU."""
    size = _chunk(like)
    return (slice(i, min(i + size, stop)) for i in range(start, stop, size))


def matrices_decay(p: Tensor) -> bool:
    """Weight decay is for matrices. A norm's gain or a bias has no reason to be small (Loshchilov and Hutter, 2019;
    GPT-2)."""
    return p.ndim >= 2


CHUNK = 1 << 15
"""Entries a chunk: five float32 arrays of 128 KB lie together in the second-level cache, and calls are few enough for
two threads."""


def scratch(like: Array, count: int) -> list[Array]:
    """`count` arrays for the intermediate results of one chunk."""
    return [namespace(like).empty(_chunk(like), like.dtype) for _ in range(count)]


def _chunk(like: Array) -> int:
    return CHUNK if device_of(like) == "cpu" else like.size
