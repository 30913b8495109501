"""Which lines of the package run, and in which tests."""

from __future__ import annotations

import sys
import threading
from types import CodeType, FrameType
from typing import Any

from tests.mutants.areas import PACKAGE

Line = tuple[str, int]
"""A file, named from the package on, and a line of it."""


class Tracer:
    """Notes each line of the package that runs, in this process."""

    def __init__(self) -> None:
        self._lines: dict[CodeType, set[int]] = {}
        self._local: dict[CodeType, Any] = {}
        self._inside = str(PACKAGE) + "/"

    def start(self) -> None:
        """From here on, in threads too."""
        threading.settrace(self._call)
        sys.settrace(self._call)

    def stop(self) -> None:
        """For all that is called from now on."""
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]

    def taken(self) -> set[Line]:
        """What has run since it was last asked."""
        found = set()
        for code, lines in self._lines.items():
            file = code.co_filename[len(self._inside) :]
            found.update((file, line) for line in lines)
            lines.clear()
        return found

    def codes(self) -> set[int]:
        """The ids of all codes that have run so far; the tracer keeps them alive."""
        return {id(code) for code in self._lines}

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        local = self._local.get(code)
        if local is None and code.co_filename.startswith(self._inside):
            add = self._lines.setdefault(code, set()).add

            def local(frame: FrameType, event: str, argument: Any) -> Any:
                add(frame.f_lineno)
                return local

            self._local[code] = local
        return local
