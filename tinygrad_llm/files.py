"""Files that come from elsewhere, opened without trust: regular files alone, and no more bytes than asked for.

A pipe would be waited for, a device never ends, and a file of a terabyte may be nothing but a hole: what a path leads
to is looked at before it is opened, and its size before it is read.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from tinygrad_llm.errors import CheckpointError, reason

MOST_TEXT = 16 << 20
"""Bytes of the longest JSON or list of merges: a hundred thousand tensors, or half a million tokens."""


def open_regular(path: str | Path, kind: str) -> BinaryIO:
    """The file, opened to be read.  Raises CheckpointError where there is none, or none that has a size."""
    try:
        _check_regular(os.stat(path), path, kind)
        file = open(path, "rb", opener=_opener)
        try:
            _check_regular(os.fstat(file.fileno()), path, kind)  # another one may have taken its place since
        except CheckpointError:
            file.close()
            raise
        return file
    except (OSError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(str(path), kind, reason(error), "Is the path right?") from error


def size_of(file: BinaryIO) -> int:
    """Bytes of an open file."""
    return os.fstat(file.fileno()).st_size


def read_regular(path: str | Path, kind: str, most: int = MOST_TEXT) -> bytes:
    """All of a file of at most so many bytes.  Raises CheckpointError for a larger one, before it is read."""
    with open_regular(path, kind) as file:
        size = size_of(file)
        if size > most:
            raise CheckpointError(str(path), f"{kind} of at most {most} bytes", f"{size} bytes")
        try:
            return file.read(size)
        except OSError as error:
            raise CheckpointError(str(path), kind, reason(error), "Is the disk whole?") from error


def load_json(path: str | Path, kind: str = "a JSON file", most: int = MOST_TEXT) -> dict[str, Any]:
    """A JSON object.  Raises CheckpointError for NaN, repeated names, or anything but one object."""
    return parse_json(read_regular(path, kind, most), str(path))


def parse_json(content: bytes, name: str) -> dict[str, Any]:
    """`load_json` of bytes that are in memory already."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a name stands twice")
        for key, _ in pairs:
            key.encode()  # half a character, \ud800, is none
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        document = json.loads(content.decode("utf-8"), object_pairs_hook=once, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(name, "strict JSON", f"{error}", "Is the file torn or altered?") from error
    if not isinstance(document, dict):
        raise CheckpointError(name, "a JSON object", type(document).__name__, "Is the file torn or altered?")
    return document


def memory() -> int | None:
    """Bytes of memory that the machine has, None where it does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _check_regular(found: os.stat_result, path: str | Path, kind: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
                 stat.S_IFSOCK: "a socket"}  # fmt: skip
        got = kinds.get(stat.S_IFMT(found.st_mode), "something else")
        raise CheckpointError(str(path), kind, got, "Copy what it gives into a file first.")


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe put there meanwhile is not waited for
