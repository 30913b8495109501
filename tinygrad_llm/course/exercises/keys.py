"""Single keys from a terminal, without waiting for Enter, on Unix and on Windows."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

POLL_S = 0.5
SLICE_S = 0.05
QUIT = "q"
CTRL_D = b"\x04"


@contextlib.contextmanager
def keyboard() -> Iterator[Callable[[], str]]:
    """Gives a function that returns a key that was pressed, or "" after POLL_S.  Not a terminal: it only waits."""
    if not sys.stdin.isatty():
        yield _no_key
    elif os.name == "nt":
        yield _windows_key
    else:
        with _cbreak():
            yield _unix_key


def _no_key() -> str:
    time.sleep(POLL_S)
    return ""


def _windows_key() -> str:
    import msvcrt

    until = time.monotonic() + POLL_S
    while time.monotonic() < until:
        if msvcrt.kbhit():  # type: ignore[attr-defined]
            return msvcrt.getwch()  # type: ignore[attr-defined]
        time.sleep(SLICE_S)
    return ""


@contextlib.contextmanager
def _cbreak() -> Iterator[None]:
    """Keys come at once and are not shown; the terminal is put back whatever happens, if it is still there."""
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _unix_key() -> str:
    """A terminal that has gone is always ready and has nothing to read: that is the end, as Ctrl-D is."""
    import select

    try:
        ready, _, _ = select.select([sys.stdin], [], [], POLL_S)
        pressed = os.read(sys.stdin.fileno(), 1) if ready else None
    except OSError:
        return QUIT
    if pressed is None:
        return ""
    return QUIT if pressed in (b"", CTRL_D) else pressed.decode(errors="replace")
