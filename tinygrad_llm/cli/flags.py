"""Flags from a dataclass: each field is one, and what is not a field is refused with the nearest name."""

from __future__ import annotations

import argparse
import difflib
import typing
from collections.abc import Sequence
from dataclasses import MISSING, fields
from types import NoneType
from typing import Any, NoReturn

from tinygrad_llm.errors import ConfigError


class _Parser(argparse.ArgumentParser):
    """argparse, with errors that are raised instead of printed."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(self.prog, "its flags", message, f"`{self.prog} --help` shows them.")


def parse(
    argv: Sequence[str],
    record: type,
    *,
    prog: str,
    about: str,
    positional: Sequence[str] = (),
    presets: Sequence[str] = (),
) -> tuple[dict[str, Any], str | None]:
    """The fields of `record` that were given, by name, and the preset if one was named.

    A field is a flag --like-this; of type bool it is --like-this or --no-like-this. Those in `positional` are given
    without a flag. Raises ConfigError for an unknown flag (with the nearest name) or a value of another type.
    """
    parser = _Parser(prog=prog, description=about, allow_abbrev=False, formatter_class=_Formatter)
    if presets:
        parser.add_argument(
            "--preset", choices=presets, default=presets[0], help=f"values to start from (default {presets[0]})"
        )
    types = typing.get_type_hints(record)
    for f in fields(record):
        kind = _plain_type(types[f.name])
        default = "" if f.default in (MISSING, None) else f" (default {f.default})"
        options: dict[str, Any] = {"help": f.metadata.get("help", "") + default, "default": argparse.SUPPRESS}
        if f.name in positional:
            optional: dict[str, Any] = {"nargs": "?"} if f.default is not MISSING else {}
            parser.add_argument(f.name, type=_converter(kind), **options, **optional)
        elif kind is bool:
            parser.add_argument(_flag(f.name), action=argparse.BooleanOptionalAction, **options)
        else:
            parser.add_argument(_flag(f.name), type=_converter(kind), metavar=kind.__name__.upper(), **options)
    known = [option for action in parser._actions for option in action.option_strings]
    given, rest = parser.parse_known_args([_dashed(argument, known) for argument in argv])
    if rest:
        near = difflib.get_close_matches(rest[0].split("=")[0], known, 1)
        next_step = f"Did you mean {near[0]}?" if near else f"`{prog} --help` shows them."
        raise ConfigError(prog, "its flags", f"unknown {rest[0]}", next_step)
    values = vars(given)
    return {k: v for k, v in values.items() if k != "preset"}, values.get("preset")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _dashed(argument: str, known: Sequence[str]) -> str:
    """--batch_size is taken for --batch-size."""
    name, equals, value = argument.partition("=")
    dashed = name.replace("_", "-")
    return dashed + equals + value if name.startswith("--") and dashed in known else argument


def _plain_type(annotation: Any) -> type:
    """int of `int | None`, and so on."""
    plain = [t for t in typing.get_args(annotation) if t is not NoneType] or [annotation]
    return plain[0]


def _converter(kind: type) -> Any:
    """Text to a value; whole numbers may be written 1e3 or 1_000."""

    def convert(text: str) -> Any:
        if kind is not int:
            return kind(text)
        number = float(text) if "e" in text.lower() else int(text)
        if number != int(number):
            raise ValueError(text)
        return int(number)

    convert.__name__ = {int: "whole number", float: "number"}.get(kind, kind.__name__)
    return convert


class _Formatter(argparse.HelpFormatter):
    """Room for the longest flag on an 80-column terminal."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=80)
