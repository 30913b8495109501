"""Module: a tree of layers. What an attribute holds is what the tree contains; nothing is registered.

There is no training flag. Dropout is active exactly when an `rng` is passed to the call.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, device_of, to_device
from tinygrad_llm.errors import CheckpointError


class Parameter(Tensor):
    """A leaf that belongs to a module and is learned; frozen while its requires_grad is False."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, *, dtype: Any = None) -> None:
        super().__init__(data, requires_grad, dtype=dtype)


class Module:
    """A node of the tree. Subclasses set parameters and modules (or lists of modules) as attributes."""

    def children(self) -> Iterator[tuple[str, Module]]:
        """The modules right below, by name; an element of a list is `name.index`."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, list | tuple):
                yield from ((f"{name}.{i}", m) for i, m in enumerate(value) if isinstance(m, Module))

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, each with its path."""
        yield prefix.removesuffix("."), self
        for name, child in self.children():
            yield from child.named_modules(f"{prefix}{name}.")

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter once, with its path; one that is shared keeps the first."""
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def parameters(self) -> list[Parameter]:
        """Every parameter once."""
        return [p for _, p in self.named_parameters()]

    def n_parameters(self) -> int:
        """How many numbers are learned."""
        return sum(p.size for p in self.parameters())

    @property
    def device(self) -> str:
        """Where the parameters are: "cpu" or "cuda"."""
        return next((device_of(p.data) for p in self.parameters()), "cpu")

    def to(self, device: str) -> Self:
        """Moves every parameter to "cpu", "cuda" or, with "auto", the best that is here; returns the model itself.

        Do so before an optimizer is made: it owns the parameters' memory. Raises DeviceError where it is not there.
        """
        for p in self.parameters():
            p.data, p.grad = to_device(p.data, device), None
        return self

    def state_dict(self) -> dict[str, Array]:
        """The parameters' arrays by path: the arrays themselves, not copies."""
        return {name: p.data for name, p in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Copies arrays into the parameters, by path.

        Raises CheckpointError that lists every missing, extra and wrong-shaped name, and then changes nothing.
        """
        own = dict(self.named_parameters())
        wrong = [f"missing {name}" for name in own if name not in state]
        wrong += [f"extra {name}" for name in state if name not in own]
        for name in own.keys() & state.keys():
            if own[name].shape != tuple(state[name].shape):
                wrong.append(f"{name} of shape {tuple(state[name].shape)} instead of {own[name].shape}")
            elif np.dtype(state[name].dtype).kind != "f":
                wrong.append(f"{name} of dtype {state[name].dtype} instead of floats")
        if wrong:
            next_step = "Is it a checkpoint of another configuration?"
            raise CheckpointError(
                "state_dict", f"the {len(own)} parameters of {type(self).__name__}", "; ".join(sorted(wrong)), next_step
            )
        for name, p in own.items():
            p.assign(state[name])

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}("]
        for name, child in self.children():
            lines.append(f"  {name}: " + repr(child).replace("\n", "\n  "))
        own = [f"{name} {list(v.shape)}" for name, v in vars(self).items() if isinstance(v, Parameter)]
        return lines[0] + ", ".join(own) + ")" if len(lines) == 1 else "\n".join([*lines, ")"])


def replace(model: Module, kind: type | tuple[type, ...], make: Callable[[str, Any], Module], path: str = "") -> Module:
    """A copy of the tree in which make(path, module) stands for every module of a kind.

    Everything else is shared with the model: its parameters are the same, not copies. The model itself stays as it is.
    So a layer is changed without a flag inside it: adapted, quantized, watched, or left out.
    """
    if isinstance(model, kind):
        return make(path, model)

    def renewed(value: Any, name: str) -> Any:
        if isinstance(value, Module):
            return replace(value, kind, make, f"{path}.{name}" if path else name)
        if isinstance(value, list | tuple):
            return type(value)(renewed(v, f"{name}.{i}") if isinstance(v, Module) else v for i, v in enumerate(value))
        return value

    twin = copy.copy(model)
    for name, value in vars(model).items():
        setattr(twin, name, renewed(value, name))
    return twin
