"""Streams that do everything at once, graphs that are recorded and replayed, pinned memory that is watched."""

from __future__ import annotations

import ctypes
import time
from contextlib import contextmanager

import numpy as np

from cupy._kernel import nvrtc as nvrtc
from cupy._state import STATE, CUDARuntimeError


class _Runtime:
    """`devices` is how many GPUs there are; a test sets it to 0, or to None for no driver."""

    CUDARuntimeError = CUDARuntimeError
    streamCaptureModeThreadLocal = 1
    devices: int | None = 1

    def getDeviceCount(self) -> int:
        if self.devices is None:
            raise CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")
        return self.devices

    def getDeviceProperties(self, device: int) -> dict:
        return {"name": b"stand-in", "totalGlobalMem": 80 << 30, "multiProcessorCount": 4}

    def driverGetVersion(self) -> int:
        return 13000

    def runtimeGetVersion(self) -> int:
        return 13000


runtime = _Runtime()


class Device:
    """The one GPU."""

    capability = "90"
    id = 0

    def __init__(self, device=None) -> None:
        self.compute_capability = Device.capability
        self.mem_info = (40 << 30, 80 << 30)
        self.attributes = {"MultiProcessorCount": 4}

    def synchronize(self) -> None:
        STATE.synchronise("device.synchronize")
        STATE.pending.clear()


class Graph:
    """What was recorded."""

    def __init__(self, actions) -> None:
        self.actions, self.kept = actions, STATE.kept
        STATE.kept = []

    def launch(self, stream=None) -> None:
        assert STATE.recording is None
        STATE.asked()
        for action in self.actions:
            action()


class Stream:
    """Everything is done in order, at once."""

    current: Stream

    def __init__(self, null=False, non_blocking=False, ptds=False, *, priority=None) -> None:
        self.null, self.ptr, self.before = null, 0 if null else id(self), []

    def __enter__(self) -> Stream:
        self.before.append(Stream.current)
        Stream.current = self
        return self

    def __exit__(self, *exc) -> None:
        Stream.current = self.before.pop()

    def use(self) -> Stream:
        Stream.current = self
        return self

    def synchronize(self) -> None:
        STATE.synchronise("stream.synchronize")
        STATE.pending.discard(self)

    def begin_capture(self, mode=None) -> None:
        if self.null:
            raise CUDARuntimeError("cudaErrorStreamCaptureUnsupported: the null stream cannot be recorded")
        assert STATE.recording is None and Stream.current is self
        STATE.recording = []

    def end_capture(self) -> Graph:
        actions, STATE.recording, broken, STATE.broken = STATE.recording, None, STATE.broken, False
        assert actions is not None
        if broken:
            raise CUDARuntimeError("cudaErrorStreamCaptureInvalidated: operation failed due to a previous error")
        return Graph(actions)

    def is_capturing(self) -> bool:
        if STATE.broken:
            raise RuntimeError("the stream was capturing, but an error has invalidated the capture sequence")
        return STATE.recording is not None


Stream.current = Stream(null=True)
STATE.current = lambda: Stream.current


def get_current_stream(device_id=-1) -> Stream:
    return Stream.current


class Event:
    """A moment in a stream's work; since that is done at once, the time at which the host came by."""

    def __init__(self, block=False, disable_timing=False, interprocess=False) -> None:
        self.at: float | None = None

    def record(self, stream=None) -> None:
        assert STATE.recording is None, "an event of a recorded graph has no time"
        self.at = time.perf_counter()

    def synchronize(self) -> None:
        STATE.synchronise("event.synchronize")


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    """Milliseconds."""
    assert start_event.at is not None and end_event.at is not None, "both were recorded"
    return (end_event.at - start_event.at) * 1e3


class Memory:
    """A piece of the GPU's memory outside all pools."""

    def __init__(self, size: int) -> None:
        self.bytes = np.zeros(size, np.uint8)
        self.ptr = self.bytes.ctypes.data


class MemoryPool:
    """Every pool counts all arrays there are: those that live, and with what was freed since `free_all_blocks`."""

    def __init__(self, allocator=None) -> None:
        pass

    def malloc(self, size: int):
        raise NotImplementedError("arrays of the stand-in have memory of their own")

    def used_bytes(self) -> int:
        return STATE.used

    def total_bytes(self) -> int:
        return STATE.most

    def free_all_blocks(self, stream=None) -> None:
        STATE.most = STATE.used


@contextmanager
def using_allocator(allocator=None):
    yield


class memory:
    """`cupy.cuda.memory`."""

    class OutOfMemoryError(MemoryError):
        """As CuPy's."""


_PINNED: dict[int, np.ndarray] = {}


class PinnedMemoryPointer:
    """Host memory that the GPU can read by itself."""

    def __init__(self, size: int) -> None:
        self.array = np.zeros(size, np.uint8)
        self.ptr = self.array.ctypes.data
        _PINNED[self.ptr] = self.array

    def __buffer__(self, flags):  # Python 3.12; before that the next line serves
        return memoryview(self.array)


def alloc_pinned_memory(size: int):
    pointer = PinnedMemoryPointer(size)
    return _AsBuffer(pointer)


class _AsBuffer(ctypes.Array if False else object):  # numpy.frombuffer wants a buffer: a bytes-like view of the memory
    def __new__(cls, pointer: PinnedMemoryPointer):
        buffer = (ctypes.c_ubyte * pointer.array.nbytes).from_buffer(pointer.array)
        return buffer


def pinned_view(address: int, size: int) -> np.ndarray:
    """The bytes of pinned memory at an address; memory that is not pinned is refused."""
    for start, array in _PINNED.items():
        if start <= address and address + size <= start + array.nbytes:
            return array[address - start : address - start + size]
    raise AssertionError("an asynchronous copy from memory that is not pinned")
