"""The streams that a person reads: what their terminal lacks, and what happens when nobody reads any more."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from types import TracebackType
from typing import TextIO

from tinygrad_llm.errors import StorageError, reason

MISTAKE = 2
UNWRITABLE = {errno.EPIPE, errno.ENOSPC, errno.EIO}


def prepare_streams() -> None:
    """What a terminal's code page lacks is replaced; where a stream was closed before we began, nothing is written."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace" if name == "stdout" else "backslashreplace")


def say(text: str, status: int) -> int:
    """Tells the user on the error stream, if anybody can be told there; gives the status back."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _let_go(sys.stderr)
    return status


def unheard(error: OSError, status: int = 0) -> int:
    """After a write that failed: says so, unless the reader of our output has gone, and lets go of that output."""
    if not isinstance(error, BrokenPipeError):
        where = str(error.filename or "standard output")
        status = say(f"error: {StorageError(where, 'a place that can be written', reason(error))}", status or MISTAKE)
    _let_go(sys.stdout)
    return status


def _let_go(stream: TextIO) -> None:
    """What the stream still holds back has a place to go, or Python's last flush would fail, and give a status."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def end_quietly() -> None:
    """From now on a script that is stopped, or whose output nobody reads, ends without a traceback."""
    sys.excepthook = _last_words


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        say("\nstopped.", 0)
    elif isinstance(error, OSError) and error.errno in UNWRITABLE and error.filename is None:
        unheard(error)
    else:
        sys.__excepthook__(kind, error, trace)
