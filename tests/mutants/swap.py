"""A mistake put into a package that is already loaded: the code of its functions is exchanged where they stand."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType

from tests.mutants.areas import PACKAGE

OWN = (
    *("co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_flags", "co_names", "co_varnames", "co_freevars"),
    *("co_cellvars", "co_code", "co_exceptiontable"),
)


def loaded() -> dict[str, list[FunctionType]]:
    """The functions of the package that are alive, by file."""
    found: dict[str, list[FunctionType]] = {}
    inside = str(PACKAGE) + "/"
    for f in gc.get_objects():
        if type(f) is FunctionType and f.__code__.co_filename.startswith(inside):
            found.setdefault(f.__code__.co_filename.removeprefix(inside), []).append(f)
    return found


class Swap:
    """The functions in which a mutated file differs, or that it cannot be done so: `possible` is False."""

    def __init__(self, file: str, text: str, functions: list[FunctionType], ran: set[int]) -> None:
        """`ran`: the ids of codes that ran while the tests were loaded; what they did cannot be done again."""
        path = str(PACKAGE / file)
        old = compile((PACKAGE / file).read_text(encoding="utf-8"), path, "exec")
        self._ran = ran
        self.pairs: list[tuple[FunctionType, CodeType]] = []
        self._alive: dict[tuple, list[FunctionType]] = {}
        for f in functions:
            self._alive.setdefault(_place(f.__code__), []).append(f)
        self.possible = self._enter(old, compile(text, path, "exec")) and bool(self.pairs)

    def do(self) -> None:
        """Exchanges them, for good."""
        for f, code in self.pairs:
            f.__code__ = code

    def _enter(self, old: CodeType, new: CodeType) -> bool:
        """A module or the body of a class: what it does itself is done, so that only functions in it may differ."""
        if _own(old) != _own(new):
            return False
        for a, b in _inner(old, new):
            if _same(a, b):
                continue
            if not a.co_flags & inspect.CO_OPTIMIZED:
                if self._enter(a, b):
                    continue
                return False
            if not (alive := self._alive.get(_place(a))) or any(id(f.__code__) in self._ran for f in alive):
                return False
            self._exchange(a, b)
        return all(f.__code__.co_freevars == code.co_freevars for f, code in self.pairs)

    def _exchange(self, old: CodeType, new: CodeType) -> None:
        """A function, and those made in it that are alive."""
        if _same(old, new):
            return
        self.pairs += [(f, new) for f in self._alive.get(_place(old), [])]
        for a, b in _inner(old, new):
            self._exchange(a, b)


def _inner(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The codes made in both, pair by pair, unless one is missing."""
    a, b = ([c for c in code.co_consts if isinstance(c, CodeType)] for code in (old, new))
    if [c.co_name for c in a] == [c.co_name for c in b]:
        yield from zip(a, b)


def _own(code: CodeType) -> tuple:
    """What a code does itself, wherever its lines stand."""
    constants = [None if isinstance(c, CodeType) else (type(c), repr(c)) for c in code.co_consts]
    return (*(getattr(code, name) for name in OWN), constants)


def _same(old: CodeType, new: CodeType) -> bool:
    return _own(old) == _own(new) and all(_same(a, b) for a, b in _inner(old, new))


def _place(code: CodeType) -> tuple:
    """Where a code stands: two lambdas of one line differ by their columns."""
    return code.co_qualname, code.co_firstlineno, tuple(code.co_positions())
