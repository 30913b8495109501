"""Flags from a dataclass: each field is one, and what is not a field is refused with the nearest name."""

from __future__ import annotations

import argparse
import difflib
import functools
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from types import NoneType
from typing import Any, NoReturn

import numpy as np

from tinygrad_llm.errors import ConfigError, TinygradLLMError
from tinygrad_llm.ranges import Range, check_range
from tinygrad_llm.train.ranges import range_of

SPECIAL_HELP = "what <|endoftext|> in a text is: allow (the token), text (its characters), or refuse"


class _Parser(argparse.ArgumentParser):
    """argparse, with errors that are raised instead of printed."""

    def error(self, message: str) -> NoReturn:
        missing = re.fullmatch(r"the following arguments are required: (.+)", message)
        expected, got = (missing[1], "none") if missing else ("its flags", message)
        raise ConfigError(self.prog, expected, got, f"`{self.prog} --help` shows them.")

    def print_help(self, file: Any = None) -> None:
        """argparse's own is silent where the output cannot be written."""
        print(self.format_help(), end="", file=file)


@dataclass(frozen=True)
class _Flag:
    """One field: its name here and on the command line, its type, and what it may be.

    metavar  what stands for its value in the help: one name, or one for each of several values.
    group    the title under which the help has it.
    is_many  whether it is a tuple: of as many values as there are metavars, or one each time that it is given.
    """

    name: str
    shown: str
    kind: type
    allowed: Range | None
    help: str
    required: bool
    metavar: str | tuple[str, ...]
    group: str
    is_many: bool

    def read(self, text: Any) -> Any:
        """The value that `text`, or each of several, spells.  Raises ConfigError under the flag's own name."""
        if isinstance(text, list):
            return tuple(map(self.read, text))
        assert self.allowed is not None
        try:
            value = text if self.kind is str else self.allowed.read(text)
        except ValueError:
            raise ConfigError(self.shown, self.allowed, repr(text)) from None
        check_range(self.name, value, self.allowed, self.shown)
        return value


def parse(
    argv: Sequence[str],
    record: type,
    *,
    prog: str,
    about: str,
    positional: Sequence[str] = (),
    presets: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[dict[str, Any], str | None]:
    """The fields of `record` that were given, by name, and the preset if one was named.

    A field is a flag --like-this; of type bool it is --like-this or --no-like-this. Those in `positional` are given
    without a flag. Help shows the defaults that hold with the preset that is named in `argv`.

    Raises ConfigError for an unknown flag (with the nearest name), or a value outside its range.
    """
    presets = presets or {}
    parser = _Parser(prog=prog, description=about, allow_abbrev=False, formatter_class=_Formatter, exit_on_error=False)
    flags = add_flags(parser, record, positional, presets, _preset(argv, presets))
    values = _matched(parser, argv)
    preset = values.pop("preset", next(iter(presets), None))
    if presets and preset not in presets:
        raise ConfigError("--preset", " or ".join(presets), repr(preset))
    read = {flag.name: flag.read for flag in flags if flag.kind is not bool}
    return {name: read[name](value) if name in read else value for name, value in values.items()}, preset


def add_flags(
    parser: argparse.ArgumentParser,
    record: type,
    positional: Sequence[str] = (),
    presets: Mapping[str, Mapping[str, Any]] | None = None,
    preset: str = "",
) -> list[_Flag]:
    """Gives the parser a record's flags, their defaults those of a preset; returns them."""
    flags = flags_of(record, positional, (presets or {}).get(preset, {}))
    groups: dict[str, Any] = {"": parser}
    if presets:
        parser.add_argument("--preset", metavar="STR", default=argparse.SUPPRESS, help=_preset_help(presets))
    for flag in flags:
        options: dict[str, Any] = {"help": flag.help, "default": argparse.SUPPRESS}
        if flag.group not in groups:
            groups[flag.group] = parser.add_argument_group(flag.group)
        place = groups[flag.group]
        if flag.name in positional:
            place.add_argument(flag.name, **(options if flag.required else {**options, "nargs": "?"}))
        elif flag.kind is bool:
            place.add_argument(flag.shown, action=argparse.BooleanOptionalAction, **options)
        elif flag.is_many:
            several = {"nargs": len(flag.metavar)} if isinstance(flag.metavar, tuple) else {"action": "append"}
            place.add_argument(flag.shown, metavar=flag.metavar, **several, **options)
        else:
            place.add_argument(flag.shown, metavar=flag.metavar, **options)
    return flags


def flags_of(record: type, positional: Sequence[str] = (), preset: Mapping[str, Any] | None = None) -> list[_Flag]:
    """A record's flags, with the defaults of a preset."""
    types, flags = typing.get_type_hints(record), []
    for f in fields(record):
        kind = _plain_type(types[f.name])
        default = (preset or {}).get(f.name, f.default)
        text = f.metadata.get("help", "") + ("" if default in (MISSING, None, "", ()) else f" (default {default})")
        shown = f.name if f.name in positional else "--" + f.name.replace("_", "-")
        allowed = f.metadata.get("range") or range_of(f.name, kind)
        metavar, group = f.metadata.get("metavar", kind.__name__.upper()), f.metadata.get("group", "")
        is_many = typing.get_origin(types[f.name]) is tuple
        required = f.default is MISSING
        flags.append(_Flag(f.name, shown, kind, allowed, text.replace("%", "%%"), required, metavar, group, is_many))
    return flags


def command(
    record: type, *, prog: str, about: str, positional: Sequence[str] = ()
) -> Callable[[Callable[[Any], int]], Callable[[Sequence[str]], int]]:
    """Makes a command of a function of the record: its errors name flags, and NumPy says nothing of its own."""

    def decorate(body: Callable[[Any], int]) -> Callable[[Sequence[str]], int]:
        @functools.wraps(body)
        def main(argv: Sequence[str]) -> int:
            given, _ = parse(argv, record, prog=prog, about=about, positional=positional)
            with in_flags(record, positional):
                return body(record(**given))

        return main

    return decorate


def warn(line: str) -> None:
    """To whoever watches, not to whoever reads the output."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def in_flags(record: type, positional: Sequence[str] = (), **more: str) -> Iterator[None]:
    """Errors of what runs inside name the flags instead of the parameters; `more` are names that only deeper code has.

    An overflow is said where it is found, by the check that finds it: NumPy's own warnings would only stand before it.
    """
    names = {f.name: f.shown for f in flags_of(record, positional)} | more
    # a word that is also English, such as "text" or "steps", is a name only where it is the name
    within = {name: shown for name, shown in names.items() if "_" in name}
    pattern = re.compile(rf"\b(?:{'|'.join(within)})\b") if within else None

    def spelled(words: Any) -> Any:
        return pattern.sub(lambda found: within[found[0]], words) if pattern and isinstance(words, str) else words

    try:
        with np.errstate(all="ignore"):
            yield
    except TinygradLLMError as error:
        name = names.get(error.name, error.name)
        got = error.got  # which is a user's own words, unless it is settings by name
        if isinstance(got, dict):
            got = ", ".join(f"{names.get(key, key)} = {value}" for key, value in got.items())
        said = type(error)(name, spelled(error.expected), got, spelled(error.next_step))
        raise said.with_traceback(error.__traceback__) from error.__cause__


def _preset(argv: Sequence[str], presets: Mapping[str, Any]) -> str:
    """The preset that is named, or the first."""
    for argument, following in zip(argv, [*argv[1:], ""]):
        name, equals, value = argument.partition("=")
        if name == "--preset":
            return value if equals else following
    return next(iter(presets), "")


def _preset_help(presets: Mapping[str, Any]) -> str:
    return f"values to start from: {', '.join(presets)} (default {next(iter(presets))}); with --help, shows them"


def _matched(parser: argparse.ArgumentParser, argv: Sequence[str]) -> dict[str, Any]:
    """What argparse makes of the arguments: a text for each name.  Raises ConfigError for what it cannot place."""
    known = [option for action in parser._actions for option in action.option_strings]
    try:
        given, rest = parser.parse_known_args(_dashed(argv, known))
    except argparse.ArgumentError as error:
        name = (error.argument_name or parser.prog).split("/")[0]
        if "expected" in error.message and "argument" in error.message:
            next_step = f"A value that begins with a dash is written {name}=-x."
            raise ConfigError(name, "a value after it", "none", next_step) from None
        raise ConfigError(name, "a flag of this command", error.message, f"`{parser.prog} --help` shows it.") from None
    except ConfigError as error:  # a text was asked for, and what came begins like a flag
        dashes = [word for word in argv if word.startswith("-") and word.split("=")[0] not in known]
        if dashes and "--" not in argv:
            got, next_step = (
                f"{dashes[0]}, which begins like a flag",
                f"Write it last, after two dashes: -- {dashes[0]}",
            )
            raise ConfigError(error.name, error.expected, got, next_step) from None
        raise
    if rest:
        near = difflib.get_close_matches(rest[0].split("=")[0], known, 1)
        next_step = f"Did you mean {near[0]}?" if near else f"`{parser.prog} --help` shows them."
        unfilled = [a.dest for a in parser._actions if not a.option_strings and a.dest not in given]
        if unfilled and not near and "--" not in argv:
            next_step = f"If it is the {unfilled[0]}, write it last, after two dashes: -- {rest[0]}"
        raise ConfigError(parser.prog, "its flags", f"unknown {rest[0]}", next_step)
    return vars(given)


def _dashed(argv: Sequence[str], known: Sequence[str]) -> list[str]:
    """--batch_size is taken for --batch-size; what comes after -- is left alone."""
    stop = list(argv).index("--") if "--" in argv else len(argv)
    out = []
    for argument in argv[:stop]:
        name, equals, value = argument.partition("=")
        dashed = name.replace("_", "-")
        out.append(dashed + equals + value if name.startswith("--") and dashed in known else argument)
    return [*out, *argv[stop:]]


def _plain_type(annotation: Any) -> type:
    """int of `int | None`, and so on."""
    plain = [t for t in typing.get_args(annotation) if t is not NoneType] or [annotation]
    return plain[0]


class _Formatter(argparse.HelpFormatter):
    """Room for the longest flag on an 80-column terminal."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=80)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Text with indented lines, such as commands to type, stays as it is written."""
        return text if "\n  " in text else super()._fill_text(text, width, indent)
