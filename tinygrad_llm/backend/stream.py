"""One stream for everything: a run on a GPU keeps its work in one queue, which may be recorded as a graph.

CUDA's default stream waits for others and cannot be recorded; a stream of our own can. CuPy keeps freed memory by
stream, so a run that stays in one never waits for memory either.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinygrad_llm.backend.arrays import Array
from tinygrad_llm.backend.cuda import load_cupy


@contextmanager
def own_stream(device: str) -> Iterator[None]:
    """Within this block the GPU's work goes into one stream of its own; on the CPU nothing changes."""
    if device == "cpu":
        yield
        return
    stream = new_stream()
    with stream:
        try:
            yield
        finally:
            stream.synchronize()


def new_stream() -> Any:
    """A stream of one's own, to be entered by `with`; what was asked of the GPU before is done."""
    cupy = load_cupy()
    cupy.cuda.Device().synchronize()
    return cupy.cuda.Stream(non_blocking=True)


class Graph:
    """Work that is recorded once and then started as a whole: one call instead of a thousand.

    What a recorded operation allocates lies in a memory pool that lives as long as the graph. Numbers of the host are
    frozen in it; what changes from one replay to the next has to lie in the GPU's memory.
    Source: CUDA C++ Programming Guide, "CUDA Graphs".
    """

    def __init__(self) -> None:
        self.pool = load_cupy().cuda.MemoryPool()
        self.recorded: Any = None

    def memory(self) -> Any:
        """A block whose arrays come from the graph's own pool: for the recording, and for the rounds before it."""
        return load_cupy().cuda.using_allocator(self.pool.malloc)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Records, and does not run, what is asked of the current stream."""
        stream = load_cupy().cuda.get_current_stream()
        with self.memory():
            stream.begin_capture()
            try:
                yield
            except BaseException:
                with _ignored():  # what failed may have spoilt the recording: to end it says so, and ends it
                    stream.end_capture()  # a stream that still records would refuse all that follows
                raise
            self.recorded = stream.end_capture()

    def launch(self) -> None:
        """Runs it once on the current stream."""
        self.recorded.launch()


@contextmanager
def _ignored() -> Iterator[None]:
    try:
        yield
    except Exception:
        pass


class PinnedRing:
    """Host memory that a GPU reads by itself while the host goes on, in slots that are used one after the other.

    A slot may be written again only when the copy from it is known to be done. With a slot for every step between two
    reads of the losses nobody has to ask: the read has waited for all of them.

    fields  name -> array on the GPU that a slot is copied to.
    """

    def __init__(self, slots: int, fields: dict[str, Array]) -> None:
        cupy = load_cupy()
        self.targets = fields
        size = sum(map(_room, fields.values()))
        self.memory = cupy.cuda.alloc_pinned_memory(slots * size)
        self.views: list[dict[str, np.ndarray]] = []
        start = 0
        for _ in range(slots):
            slot = {}
            for name, array in fields.items():
                flat = np.frombuffer(self.memory, array.dtype, array.size, start)
                slot[name] = flat.reshape(array.shape)
                start += _room(array)
            self.views.append(slot)

    def upload(self, slot: int, values: dict[str, Any]) -> None:
        """Copies values by name into a slot, and asks the GPU to fetch them in the stream's order."""
        stream = load_cupy().cuda.get_current_stream()
        for name, view in self.views[slot].items():
            view[...] = values[name]
            self.targets[name].data.copy_from_host_async(view.ctypes.data, view.nbytes, stream)


def _room(array: Array) -> int:
    """Bytes for an array, so that the next one begins at a multiple of 16."""
    return -(-array.nbytes // 16) * 16
