"""Notices when an answer replaces what the checks compare with: `np.allclose`, a built-in, the checker itself."""

from __future__ import annotations

import builtins
import sys
import types
from typing import Any, NamedTuple

PREFIXES = ("numpy", "math", "tinygrad_llm")
"""Modules whose functions and classes belong to the checks' side."""
CHECKER = "tinygrad_llm.course"


class Kept(NamedTuple):
    """One function or class: where it stands, what it was, and the code that it ran."""

    owner: Any
    name: str
    value: Any
    code: Any


class Seal:
    """What the checks use, as it was before the learner's file was executed."""

    def __init__(self) -> None:
        modules = [m for name, m in list(sys.modules.items()) if name.split(".")[0] in PREFIXES and m is not None]
        self.kept = [kept for owner in (builtins, *modules) for kept in _functions(owner)]
        for module in modules:
            if module.__name__.startswith(CHECKER):
                classes = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]
                self.kept += [kept for owner in classes for kept in _functions(owner)]

    def broken(self) -> str:
        """The name of something that is no longer what it was; "" where all is."""
        for owner, name, value, code in self.kept:
            now = vars(owner).get(name)
            if now is not value or _code(now) is not code:
                return f"{owner.__name__}.{name}"
        return ""


def _functions(owner: Any) -> list[Kept]:
    return [
        Kept(owner, name, value, _code(value))
        for name, value in list(vars(owner).items())
        if callable(value) or isinstance(value, property | staticmethod | classmethod)
    ]


def _code(value: Any) -> Any:
    return value.__code__ if isinstance(value, types.FunctionType) else None
