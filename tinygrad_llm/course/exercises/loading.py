"""A learner's file, executed as Python executes a module."""

from __future__ import annotations

import ast
import difflib
import importlib.util
import sys
import tokenize
import types
from pathlib import Path
from typing import Any

from tinygrad_llm.course.exercises.calls import Raised


class Mine:
    """A learner's file as the fixture `mine`: its functions are attributes.

    Raises what the file raises; Raised from what is no Exception: an exit, an interrupt.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        try:
            self._module = module_of(file)
        except Exception:
            raise
        except BaseException as error:  # an interrupt would end all checks
            raise Raised("") from error

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._module, name)
        except AttributeError:
            raise MissingName(name, defined(self._file)) from None


class MissingName(AttributeError):
    """A check asks for a function that the learner's file does not define."""

    def __init__(self, name: str, defined: dict[str, int]) -> None:
        super().__init__(name)
        near = difflib.get_close_matches(name, defined, 1)
        self.wanted, self.near, self.line = name, near[0] if near else None, defined[near[0]] if near else None


def module_of(file: str, name: str = "mine") -> types.ModuleType:
    """The file as a module that is found by its name, which dataclasses, pickle and typing ask for."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    code = compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)  # bytes: a BOM, a coding cookie
    exec(code, module.__dict__)
    return module


def defined(file: str) -> dict[str, int]:
    """The functions and classes of a file, with their lines."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    with tokenize.open(file) as lines:
        return {n.name: n.lineno for n in ast.parse(lines.read()).body if isinstance(n, kinds)}
