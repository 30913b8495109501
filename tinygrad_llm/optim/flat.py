"""Flat storage: all parameters in one array, each a view into it.

Clipping and updating are then a few passes over one array, in pieces that fit the cache, instead of a loop over a
hundred small ones; and a thread can take any range of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_llm.autograd import GradientSink, Storage, Tensor
from tinygrad_llm.backend import Array, beside, device_of, namespace
from tinygrad_llm.errors import ArgumentError, DtypeError, GradientError


class FlatParameters:
    """Moves parameters into one array. Those that `decays` says yes to stand first: [0, n_decaying) of the array.

    The parameters keep their identity, shapes and values; only their memory is new, and shared by one version counter.
    """

    def __init__(self, parameters: Iterable[Tensor], decays: Callable[[Tensor], bool]) -> None:
        trained = [p for p in parameters if p.requires_grad]
        if not trained:
            raise ArgumentError("parameters", "at least one that requires a gradient", "none")
        if len({p.dtype for p in trained}) > 1:
            raise DtypeError("parameters", "one dtype throughout", sorted({str(p.dtype) for p in trained}))
        self.parameters = [p for p in trained if decays(p)] + [p for p in trained if not decays(p)]
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
            p.data = self.data[start : start + p.size].reshape(p.shape)
            p.storage = self.storage
            self.views.append(p.data)
            start += p.size

    def __getstate__(self) -> dict[str, Any]:
        self.check()
        return {"parameters": self.parameters, "n_decaying": self.n_decaying}

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
        missing = [list(p.shape) for p in self.parameters if p.grad is None]
        if missing:
            next_step = "Call loss.backward() first, or set requires_grad = False for what is not trained."
            raise GradientError(
                "step", "a gradient for every parameter", f"none for those of shape {missing}", next_step
            )
        start = 0
        for p in self.parameters:
            out[start : start + p.size] = beside(p.grad, out).reshape(-1)
            start += p.size
        return out

    def check(self) -> None:
        """Raises GradientError where a parameter's array has been replaced: an update would not reach it."""
        for p, view in zip(self.parameters, self.views):
            if p.data is not view:
                next_step = "Use p.assign(values) or load_state_dict(), which copy into the memory."
                raise GradientError(
                    "step",
                    "each parameter in its place in the flat array",
                    f"a replaced array of shape {p.shape}",
                    next_step,
                )


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
