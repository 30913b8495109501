"""Module: a tree of layers. What an attribute holds is what the tree contains; nothing is registered.

There is no training flag. Dropout is active exactly when an `rng` is passed to the call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Set, ValuesView
from reprlib import recursive_repr
from types import GeneratorType, NoneType
from typing import Any, Self

import numpy as np

from tinygrad_llm.autograd import Tensor, read_only
from tinygrad_llm.backend import Array, device_of, is_float, to_device
from tinygrad_llm.errors import ArgumentError, CheckpointError

UNNAMED = (Set, ValuesView, Mapping, deque)
"""Collections whose elements have no place in the tree: they are changed or ordered as no list or dict is."""


PLAIN = (int, float, str, NoneType)
"""What most attributes are: passed over without a look inside."""


class _State(Tensor):
    """A leaf that belongs to a module's state. A deep copy or a pickle of it has memory and a version of its own."""

    __slots__ = ()

    def __reduce__(self) -> tuple:
        return _leaf, (type(self), self.data, self.grad, self.requires_grad)

    def __copy__(self) -> Self:
        twin = _leaf(type(self), self.data, self.grad, self.requires_grad)
        twin.storage = self.storage  # the memory is the same, so its version is
        return twin


class Parameter(_State):
    """A leaf that belongs to a module and is learned; frozen while its requires_grad is False."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, *, dtype: Any = None) -> None:
        super().__init__(data, requires_grad, dtype=dtype)


class Buffer(_State):
    """A leaf of any dtype that belongs to a module's state and is not learned: a table, packed weights, a running
    mean."""

    __slots__ = ()

    def __init__(self, data: Any, *, dtype: Any = None) -> None:
        super().__init__(data, dtype=dtype)


class Module:
    """A node of the tree. Subclasses set modules, Parameters and Buffers as attributes, or lists, tuples and dicts of
    them, nested as they like. An element's name is `attribute.index` or `attribute.key`.

    An attribute that would hide state raises ArgumentError when it is set: a set of modules, a leaf that requires a
    gradient and is no Parameter, a module that holds this one (a way back to the parent is a `weakref.ref`). An object
    that stands at several places is one object: it is listed, counted, saved and moved once, under its first name.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        for path, found in entries(name, value):
            if "." in name:
                raise ArgumentError(name, "an attribute's name without dots", "one with")
            if isinstance(found, Module) and found._holds(self):
                expected = f"a module that does not hold this {type(self).__name__}"
                raise ArgumentError(path, expected, f"a {type(found).__name__} that does", "Keep a weakref.ref to it.")
        super().__setattr__(name, value)

    def named_entries(self) -> Iterator[tuple[str, Module | Parameter | Buffer]]:
        """The modules right below and this module's own Parameters and Buffers, by name."""
        for name, value in vars(self).items():
            if not isinstance(value, PLAIN):
                yield from entries(name, value)

    def _holds(self, module: Module) -> bool:
        """Whether `module` is this one or below it."""
        stack, seen = [self], {id(self)}
        while stack:
            top = stack.pop()
            if top is module:
                return True
            below = [child for _, child in top.named_children() if id(child) not in seen]
            seen.update(map(id, below))
            stack += below
        return False

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules right below, by name."""
        return ((name, value) for name, value in self.named_entries() if isinstance(value, Module))

    def named_modules(
        self, prefix: str = "", *, remove_duplicate: bool = True, seen: set[int] | None = None
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each with its path.

        remove_duplicate  a module that stands at several places comes once; with False at each place.
        seen              ids of modules that are left out.
        """
        seen = set() if seen is None else seen
        if id(self) in seen:
            return
        seen.add(id(self))
        yield prefix, self
        for name, child in self.named_children():
            path = join(prefix, name)
            below = seen if remove_duplicate else set(seen)  # the modules above alone: a ring must end somewhere
            yield from child.named_modules(path, remove_duplicate=remove_duplicate, seen=below)

    def named_state(self) -> Iterator[tuple[str, Parameter | Buffer]]:
        """Every Parameter and Buffer once, with its path: of each module the Parameters, then the Buffers."""
        seen: set[int] = set()
        for path, module in self.named_modules():
            own = [(name, value) for name, value in module.named_entries() if isinstance(value, _State)]
            for name, value in sorted(own, key=lambda entry: isinstance(entry[1], Buffer)):
                if id(value) not in seen:
                    seen.add(id(value))
                    yield join(path, name), value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter once, with its path; one that is shared keeps the first."""
        return ((path, value) for path, value in self.named_state() if isinstance(value, Parameter))

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """Every buffer once, with its path."""
        return ((path, value) for path, value in self.named_state() if isinstance(value, Buffer))

    def parameters(self) -> list[Parameter]:
        """Every parameter once."""
        return [p for _, p in self.named_parameters()]

    def buffers(self) -> list[Buffer]:
        """Every buffer once."""
        return [b for _, b in self.named_buffers()]

    def n_parameters(self) -> int:
        """How many numbers the parameters are, frozen ones included; buffers do not count."""
        return sum(p.size for p in self.parameters())

    def n_trainable(self) -> int:
        """How many of them are learned: those whose requires_grad is True."""
        return sum(p.size for p in self.parameters() if p.requires_grad)

    @property
    def device(self) -> str:
        """Where the parameters and buffers are: "cpu" or "cuda"."""
        return next((device_of(leaf.data) for _, leaf in self.named_state()), "cpu")

    def to(self, device: str) -> Self:
        """Moves every parameter, gradient and buffer to "cpu", "cuda" or, with "auto", the best that is here; returns
        the model itself.

        Do so before an optimizer is made: it owns the parameters' memory. Raises DeviceError where it is not there.
        """
        for _, leaf in self.named_state():
            moved = to_device(leaf.data, device)
            leaf.data = leaf.data if moved is leaf.data else read_only(moved)
            leaf.grad = None if leaf.grad is None else to_device(leaf.grad, device)
        return self

    def state_dict(self) -> dict[str, Array]:
        """The arrays of parameters and buffers by path: the arrays themselves, not copies, and not to be written."""
        return {name: leaf.data for name, leaf in self.named_state()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Copies arrays into the parameters and buffers, by path. Floats may have another precision; integers and
        booleans must have the dtype of what they replace.

        Raises CheckpointError that lists every missing, extra, wrong-shaped and wrong-typed name, and then changes
        nothing.
        """
        own = dict(self.named_state())
        wrong = [f"missing {name}" for name in own if name not in state]
        wrong += [f"extra {name}" for name in state if name not in own]
        for name in own.keys() & state.keys():
            dtype = np.dtype(state[name].dtype)
            if own[name].shape != tuple(state[name].shape):
                wrong.append(f"{name} of shape {tuple(state[name].shape)} instead of {own[name].shape}")
            elif dtype != own[name].dtype and not (is_float(dtype) and is_float(own[name].dtype)):
                wanted = "floats" if is_float(own[name].dtype) else own[name].dtype
                wrong.append(f"{name} of dtype {dtype} instead of {wanted}")
        if wrong:
            expected = f"the {len(own)} parameters and buffers of {type(self).__name__}"
            next_step = "Is it a checkpoint of another configuration?"
            raise CheckpointError("state_dict", expected, "; ".join(sorted(wrong)), next_step)
        for name, leaf in own.items():
            leaf.assign(state[name])

    @recursive_repr()
    def __repr__(self) -> str:
        own, below = [], []
        for name, value in self.named_entries():
            if isinstance(value, Module):
                below.append(f"  {name}: " + repr(value).replace("\n", "\n  "))
            else:
                kind = f" {value.dtype} buffer" if isinstance(value, Buffer) else ""
                own.append(f"{name} {list(value.shape)}{kind}")
        first = f"{type(self).__name__}(" + ", ".join(own)
        return "\n".join([first, *below, ")"]) if below else first + ")"


def entries(name: str, value: Any) -> Iterator[tuple[str, Module | Parameter | Buffer]]:
    """The modules, Parameters and Buffers that an attribute holds, through lists, tuples and dicts, each with its name.

    Raises ArgumentError where one of them has no name by which it is found again.
    """
    if isinstance(value, Module | Parameter | Buffer):
        yield name, value
    elif isinstance(value, Tensor) and value.requires_grad and value.node is None:
        raise ArgumentError(name, "a Parameter", "another leaf that requires a gradient", "Wrap it: Parameter(x).")
    elif isinstance(value, list | tuple):
        for i, element in enumerate(value):
            yield from entries(f"{name}.{i}", element)
    elif isinstance(value, dict):
        for key, element in value.items():
            found = list(entries(f"{name}.{key}", element))
            if isinstance(key, Module | Tensor) or (found and not (isinstance(key, str) and key and "." not in key)):
                raise ArgumentError(
                    name, "keys that are names without dots, for modules and Parameters", repr(key)[:60]
                )
            yield from found
    elif isinstance(value, UNNAMED):
        elements = value.values() if isinstance(value, Mapping) else value
        if any(True for element in elements for _ in entries(name, element)):
            raise ArgumentError(name, "modules and Parameters in a list or a dict", f"a {type(value).__name__} of them")
    elif isinstance(value, GeneratorType | map | filter | zip):
        raise ArgumentError(name, "what can be read twice", f"a {type(value).__name__}", "Make a list of it.")


def join(path: str, name: str) -> str:
    """The path of what has this name below the module at `path`."""
    return f"{path}.{name}" if path else name


def _leaf(kind: Any, data: Array, grad: Array | None, requires_grad: bool) -> Any:
    """A Parameter or Buffer around this array."""
    leaf = kind.__new__(kind)
    Tensor.__init__(leaf, data, requires_grad)
    leaf.grad = grad
    return leaf
