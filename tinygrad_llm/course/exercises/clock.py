"""The time that a check may take: processor time, counted anew for each check, and only while the learner's code runs.

On a busy machine a quick check lasts long, imports are long on a slow disk, and a check may itself have much to
compute: none of that is a loop that never ends.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
import types
from typing import TextIO

LIMIT_S = 3.0
"""Code that computes for longer in one check has a loop that does not end."""
WAITING = 10
"""How many times the limit may pass on the wall's clock for a check that waits."""
TICK_S = 0.05
END = "Timeout"
"""Begins what is written when the time is up; faulthandler begins with it too."""
COMPUTED = f"{END}: processor time"


class Clock:
    """Ends this process once the code of `file` has computed for `limit` seconds in one check.

    Where it was is written to `where` first. What waits, computes without letting another thread run, or computes
    outside of `file`, is ended after `WAITING` times as many seconds of any kind.
    """

    def __init__(self, file: str, limit: float, where: TextIO) -> None:
        self.file, self.limit, self.where = file, limit, where
        self.computed = 0.0
        self.checking = False
        threading.Thread(target=self._watch, daemon=True).start()

    def begin(self) -> None:
        """A check begins: its time is counted from 0."""
        self.computed, self.checking = 0.0, True
        faulthandler.dump_traceback_later(WAITING * self.limit, exit=True, file=self.where)

    def end(self) -> None:
        """The check has ended."""
        self.checking = False
        faulthandler.cancel_dump_traceback_later()

    def _watch(self) -> None:
        before = time.process_time()
        while True:
            time.sleep(TICK_S)
            now = time.process_time()
            frame = self._running() if self.checking else None
            if frame is not None:
                self.computed += now - before
                if self.computed > self.limit:
                    self._stop(frame)
            before = now

    def _running(self) -> types.FrameType | None:
        """Where the learner's code is, if it is running."""
        own = threading.get_ident()
        frames = [innermost(self.file, frame) for thread, frame in sys._current_frames().items() if thread != own]
        return next(filter(None, frames), None)

    def _stop(self, frame: types.FrameType) -> None:
        self.where.write(f'{COMPUTED}\n  File "{self.file}", line {frame.f_lineno} in {frame.f_code.co_name}\n')
        self.where.flush()
        os._exit(1)


def innermost(file: str, frame: types.FrameType | None) -> types.FrameType | None:
    """The innermost frame of `file` among this one and its callers; None where there is none, or it only imports."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name == file:
            return frame
        if name.startswith("<frozen importlib"):
            return None
        frame = frame.f_back
    return None
