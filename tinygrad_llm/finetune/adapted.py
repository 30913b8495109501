"""A linear layer with adapters beside it: what `nn.replace` puts in its place. No layer of nn/ knows of it.

    layer = Adapted(linear, {"default": LoRA(linear, r=4, rng=rng)})

An adapter is a module of its own, kept by name. Those that are active change what the layer computes; the others wait.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.backend import Array
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.nn import Linear, Module, Parameter, Rng

UNMERGE = "Call unmerge_adapter() first."
BASE = "__base__"
"""In place of an adapter's name: no adapter at all."""
Below = Callable[[Tensor], Tensor]
"""What an adapter stands around: the layer, or the layer with the adapters before it."""


@dataclass(frozen=True)
class Call:
    """What a call of the whole model says to its adapters, whose layers are handed x alone.

    rng      makes their dropout active.
    rows     an adapter's name for each row of the batch; the active ones for all where None.
    enabled  False leaves every adapter out.
    """

    rng: Rng | None = None
    rows: tuple[str, ...] | None = None
    enabled: bool = True


CALL: ContextVar[Call] = ContextVar("tinygrad_llm_adapters", default=Call())  # noqa: B039 - frozen


@contextmanager
def calling(rng: Rng | None, rows: Sequence[str] | None = None, enabled: bool = True) -> Iterator[None]:
    """Within this block adapters are called so. Each thread has a context of its own."""
    token = CALL.set(Call(rng, None if rows is None else tuple(rows), enabled))
    try:
        yield
    finally:
        CALL.reset(token)


class Adapter(Module, ABC):
    """What changes a linear layer: y = adapter(x, below, base), with y = below(x) where it changes nothing."""

    alone = False
    """Whether no other adapter may be active beside it."""

    @abstractmethod
    def __call__(self, x: Tensor, below: Below, base: Any, rng: Rng | None = None) -> Tensor:
        """The layer's output as this adapter changes it.  (..., I) -> (..., O)"""

    @abstractmethod
    def weights(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The weight (O, I) and the bias (O,) of one linear layer that computes the same, without dropout.

        Raises ArgumentError where no linear layer does.
        """


def linear_sizes(layer: Any) -> tuple[int, int] | None:
    """I and O of a linear layer, or of what says `in_features` and `out_features`; None of anything else.

    Such a layer computes x W^T + b where it is called, and shows its `weight` (O, I), of packed weights the unpacked
    ones, and `bias`. Only a weight that is a Parameter can be merged into.
    """
    if isinstance(layer, Linear):
        outputs, inputs = layer.weight.shape
        return inputs, outputs
    if isinstance(layer, Module) and hasattr(layer, "in_features") and hasattr(layer, "out_features"):
        return int(layer.in_features), int(layer.out_features)
    return None


class Adapted(Module):
    """A linear layer and its adapters.  (..., I) -> (..., O)

    base_layer       the layer itself, whose parameters are whoever's they were.
    adapters         by name.
    active_adapters  the names of those that take part, in this order.

    `merge()` adds the active ones to the base layer's weights, after which they cost nothing and are not trained;
    `unmerge()` gives the old weights back to the bit, for which a copy of them is kept in between.
    """

    def __init__(self, base_layer: Any, adapters: Mapping[str, Adapter] | None = None) -> None:
        if linear_sizes(base_layer) is None:
            raise ArgumentError("base_layer", "a linear layer", type(base_layer).__name__)
        self.base_layer = base_layer
        self.adapters: dict[str, Adapter] = dict(adapters or {})
        self.active_adapters: tuple[str, ...] = tuple(self.adapters)
        self.unmerged: tuple[Array, Array | None] | None = None

    def add(self, name: str, adapter: Adapter) -> None:
        """Keeps one more, which is not active yet.  Raises ArgumentError for a name that is taken."""
        if name in self.adapters or name == BASE:
            raise ArgumentError("adapter_name", f"one that is new, not {', '.join([*self.adapters, BASE])}", name)
        self.adapters = {**self.adapters, name: adapter}

    def remove(self, name: str) -> None:
        """Lets go of one, where it is here."""
        self.adapters = {own: adapter for own, adapter in self.adapters.items() if own != name}
        self.active_adapters = tuple(own for own in self.active_adapters if own != name)

    def activate(self, names: Sequence[str]) -> None:
        """Makes those of the names that this layer has active, and no others; only the active ones are trained."""
        self.active_adapters = self.among(names)
        self._train(self.active_adapters)

    def among(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the names that are here.  Raises ArgumentError where they cannot be active together, or now."""
        chosen = tuple(name for name in names if name in self.adapters)
        if len(chosen) > 1 and any(self.adapters[name].alone for name in chosen):
            raise ArgumentError("adapters", "one alone, where one is a DoRA", ", ".join(chosen))
        if self.is_merged:
            raise ArgumentError("adapters", "layers that are not merged", "merged ones", UNMERGE)
        return chosen

    def _train(self, names: Sequence[str]) -> None:
        """The parameters of these are learned, those of the others are frozen."""
        for trained in (False, True):  # an active one may share a parameter with one that is not
            for name, adapter in self.adapters.items():
                if (name in names) is trained:
                    for p in adapter.parameters():
                        p.requires_grad = trained

    def __call__(self, x: Tensor) -> Tensor:
        call = CALL.get()
        if self.is_merged and (call.rows is not None or not call.enabled):
            raise ArgumentError("adapters", "layers that are not merged", "merged ones", UNMERGE)
        if not call.enabled or self.is_merged:
            return self.base_layer(x)
        if call.rows is None:
            return self._through(x, self.active_adapters, call.rng)
        return self._by_row(x, call.rows, call.rng)

    def _through(self, x: Tensor, names: Sequence[str], rng: Rng | None) -> Tensor:
        below: Below = self.base_layer
        for name in names:
            below = partial(self.adapters[name], below=below, base=self.base_layer, rng=rng)
        return below(x)

    def _by_row(self, x: Tensor, rows: Sequence[str], rng: Rng | None) -> Tensor:
        """The rows of each adapter together, each row computed once."""
        if len(rows) != x.shape[0]:
            next_step = "Experts see tokens, not rows."
            raise ShapeError("adapter_names", f"one a row, {x.shape[0]} of them", len(rows), next_step)
        names = list(dict.fromkeys(rows))
        places = [np.flatnonzero([row == name for row in rows]) for name in names]
        parts = [
            self._through(x[place], [name] if name in self.adapters else [], rng) for name, place in zip(names, places)
        ]
        return ops.concat(parts, axis=0)[np.argsort(np.concatenate(places))]

    @property
    def weight(self) -> Tensor:
        """The weight that the layer computes with, recorded: for whoever multiplies by it directly.  (O, I)"""
        return self._weights()[0]

    @property
    def bias(self) -> Tensor | None:
        """The bias that the layer computes with.  (O,)"""
        return self._weights()[1]

    def _weights(self) -> tuple[Tensor, Tensor | None]:
        call, weight, bias = CALL.get(), self.base_layer.weight, self.base_layer.bias
        if call.rows is not None:
            next_step = "A head is read, not called: it has the active adapters for all rows."
            raise ArgumentError("adapter_names", "none, where an adapted layer's weight is read", "some", next_step)
        if call.enabled and not self.is_merged:
            for name in self.active_adapters:
                weight, bias = self.adapters[name].weights(weight, bias)
        return weight, bias

    @property
    def is_merged(self) -> bool:
        """Whether the base layer's weights have the active adapters in them."""
        return self.unmerged is not None

    def merge(self) -> None:
        """Puts the active adapters into the base layer's weights.  Raises ArgumentError where they cannot be."""
        if not self.is_merged and self.active_adapters:
            (weight, bias), base = self._merged(), self.base_layer
            self.unmerged = base.weight.data.copy(), None if base.bias is None else base.bias.data.copy()
            base.weight.assign(weight)
            if bias is not None:
                base.bias.assign(bias)
            self._train(())

    def unmerge(self) -> None:
        """Puts the weights back that were there before `merge`."""
        if self.unmerged is not None:
            weight, bias = self.unmerged
            self.base_layer.weight.assign(weight)
            if bias is not None:
                self.base_layer.bias.assign(bias)
            self.unmerged = None
            self._train(self.active_adapters)

    def unloaded(self, merge: bool) -> Any:
        """The base layer itself; or, with `merge`, a copy of it with weights of its own that has the adapters in it."""
        if not merge:
            return self.base_layer
        (weight, bias), twin = self._merged(), copy.copy(self.base_layer)
        twin.weight = Parameter(weight.data.copy(), self.base_layer.weight.requires_grad)
        twin.bias = None if bias is None else Parameter(bias.data.copy(), self.base_layer.bias.requires_grad)
        return twin

    def _merged(self) -> tuple[Tensor, Tensor | None]:
        if not isinstance(getattr(self.base_layer, "weight", None), Parameter):
            got = f"those of a {type(self.base_layer).__name__}"
            raise ArgumentError("merge", "weights that are Parameters", got, "Unpack the layer's weights first.")
        with no_grad():
            return self._weights()
