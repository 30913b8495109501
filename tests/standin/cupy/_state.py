"""What the stand-in knows of the imagined GPU: how often the host waited, and what is being recorded."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

READS = ("get", "item", "tolist", "float", "int", "bool", "repr", "format")
"""Ways to look at values."""
HERE = Path(__file__).resolve().parents[1]
TESTS = HERE.parent


class CUDARuntimeError(RuntimeError):
    """As CuPy's: the text begins with the error's name."""


class DeviceSynchronized(RuntimeError):
    """As CuPy's."""


class State:
    """counts: "synchronise", "upload" and "launch" by what did it. recording: the graph being recorded, or None.

    may_wait: False where `cupyx.allow_synchronize` forbids it. used, most: bytes of all arrays that live, and their most.
    broken: what may not be recorded was asked for, so that the recording is of no use any more.
    """

    def __init__(self) -> None:
        self.counts: Counter = Counter()
        self.recording: list[Callable[[], None]] | None = None
        self.pinned: list = []
        self.most_bytes: int | None = None  # an array that is larger does not fit: the GPU's memory
        self.may_wait, self.broken = True, False
        self.used, self.most = 0, 0
        self.pending: WeakSet = WeakSet()  # streams that nobody has waited for since something was asked of them
        self.current: Callable = lambda: None  # the current stream
        self.kept: list = []  # what a graph's own pool holds: it stays as long as the graph

    def hold(self, size: int) -> None:
        """An array has taken so many bytes, or given them back."""
        self.used += size
        self.most = max(self.most, self.used)

    def refuse(self, why: str) -> None:
        """Nothing may wait or copy while a graph is recorded; as with CUDA, the recording is lost then."""
        if self.recording is not None:
            self.broken = True
            raise CUDARuntimeError(f"cudaErrorStreamCaptureUnsupported: {why} while a graph is recorded")

    def synchronise(self, why: str) -> None:
        """The host waits. Counted, unless a test looks."""
        if from_a_test():
            return
        self.refuse(why)
        if not self.may_wait:
            raise DeviceSynchronized(f"{why} waits for the GPU")
        self.counts["synchronise", why] += 1
        self.pending.discard(self.current())
        if self.pending and why in READS:
            raise AssertionError(f"{why} waits for the current stream alone, and another one still works")
        self.finish_copies()

    def asked(self) -> None:
        """The current stream has work to do; what the null stream is asked for waits for others and is waited for."""
        stream = self.current()
        if stream is not None and not stream.null:
            self.pending.add(stream)

    def upload(self, why: str) -> None:
        """The host copies memory that is not pinned, which cannot be recorded."""
        if from_a_test():
            return
        self.refuse(why)
        self.counts["upload", why] += 1

    def launch(self, kernel: str, action: Callable[[], None]) -> None:
        """A kernel is started."""
        self.counts["launch", kernel] += 1
        self.run(action)

    def run(self, action: Callable[[], None]) -> None:
        """Does it now, or records it to be done by each replay."""
        if self.broken:
            raise CUDARuntimeError("cudaErrorStreamCaptureInvalidated: operation failed due to a previous error")
        if self.recording is not None:
            self.recording.append(action)
        else:
            self.asked()
            action()

    def finish_copies(self) -> None:
        """By now all copies from pinned memory are done: their sources must not have been written since they began."""
        for source, copy in self.pinned:
            if source.tobytes() != copy:
                raise AssertionError("pinned memory was written again before the copy from it was known to be done")
        self.pinned.clear()

    def waits(self) -> int:
        """How often the host waited so far."""
        return self._count("synchronise")

    def uploads(self) -> int:
        """How often memory that is not pinned was copied so far."""
        return self._count("upload")

    def launches(self) -> int:
        """How many kernels were started so far."""
        return self._count("launch")

    def _count(self, wanted: str) -> int:
        return sum(count for (kind, _), count in self.counts.items() if kind == wanted)


STATE = State()


def from_a_test() -> bool:
    """Whether the nearest caller outside NumPy, the standard library and this folder is a test, which may look at
    values."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        inside = name.startswith((str(HERE), "<")) or "/numpy/" in name or "/lib/python" in name
        if not inside:
            return name.startswith(str(TESTS))
        frame = frame.f_back
    return False
