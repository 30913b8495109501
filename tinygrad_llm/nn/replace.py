"""A tree of modules rewritten in a copy: how a model is adapted, quantized, watched or cut, without flags in layers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.nn.module import Module

Kind = type | tuple[type, ...] | str | Callable[[str, Module], bool]
"""A class, a pattern of paths, or a function of path and module."""


def replace(model: Module, kind: Kind, make: Callable[[str, Any], Module]) -> Any:
    """A copy of the tree in which make(path, module) stands for every module of a kind.

    kind  a class or a tuple of classes; a pattern of paths; or a function (path, module) -> bool. In a pattern `*`
          stands for any part of one name and `**` for any number of names: "blocks.*.attention.q_proj", "**.q_proj".
    make  is called once a module, from the root down; what is below a replaced module is left to it.

    The model stays as it is, and its parameters are those of the copy. A module at several places is replaced at all of
    them when one of its paths matches, by one object: what is shared stays shared.
    Raises ArgumentError for a pattern that matches nothing, and where `make` gives no Module.
    """
    chosen: dict[int, str] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        if id(module) not in chosen and _matches(kind, path, module):
            chosen[id(module)] = path
    if isinstance(kind, str) and not chosen:
        paths = ", ".join(path for path, _ in model.named_modules() if path)
        raise ArgumentError("kind", "a pattern of some module's path", repr(kind), f"There are: {paths[:200]}")
    return _Rewriting(chosen, make).renewed(model)


class _Rewriting:
    """What was made so far, by the id of what it stands for: each thing is copied or replaced once."""

    def __init__(self, chosen: dict[int, str], make: Callable[[str, Any], Module]) -> None:
        self.chosen, self.make = chosen, make
        self.made: dict[int, Any] = {}

    def renewed(self, value: Any) -> Any:
        """A module replaced or copied, a list, tuple or dict copied with its elements renewed, anything else itself."""
        if not isinstance(value, Module | list | tuple | dict):
            return value
        if id(value) not in self.made:
            if id(value) in self.chosen:
                self.made[id(value)] = self._replaced(value, self.chosen[id(value)])
            elif isinstance(value, tuple):
                self.made[id(value)] = getattr(value, "_make", tuple)([self.renewed(v) for v in value])
            else:
                twin = self.made[id(value)] = copy.copy(value)
                contents: Any = vars(twin) if isinstance(value, Module) else twin
                for key in range(len(value)) if isinstance(value, list) else list(contents):
                    contents[key] = self.renewed(contents[key])
        return self.made[id(value)]

    def _replaced(self, module: Any, path: str) -> Module:
        made = self.make(path, module)
        if not isinstance(made, Module):
            raise ArgumentError("make", f"a Module in place of {path or 'the root'}", type(made).__name__)
        return made


def _matches(kind: Kind, path: str, module: Module) -> bool:
    if isinstance(kind, str):
        return path_fits(kind, path)
    if isinstance(kind, type | tuple):
        return isinstance(module, kind)
    return kind(path, module)


def path_fits(pattern: str, path: str) -> bool:
    """Whether a pattern, as `replace` has them, fits a path."""
    return _fits(_names(pattern), _names(path))


def _names(path: str) -> list[str]:
    """The root has none: `*` is not the root."""
    return path.split(".") if path else []


def _fits(pattern: list[str], names: list[str]) -> bool:
    if not pattern:
        return not names
    if pattern[0] == "**":
        return any(_fits(pattern[1:], names[i:]) for i in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], pattern[0]) and _fits(pattern[1:], names[1:])
