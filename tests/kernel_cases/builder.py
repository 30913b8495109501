"""Cases of several launches, made step by step. Every array has a frame around it that nobody may write into."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernel_cases import DTYPES, Case, Launch, wide

MARGIN = 16
"""Elements on both sides: whole packs of 16 bytes, so that only `shift` decides on the alignment."""
FRAME, FRAME_OF_RESULTS = 0x5A, 0xA5
"""Bytes of the two frames, as numbers 1.5e16 and nearly 0. What a kernel makes of the one is not the other: GELU leaves
large numbers as they are, and would write them over one another unseen."""

TOLERANCE = {"float32": {"rtol": 3e-6, "atol": 2e-6}, "bfloat16": {"rtol": 2**-8, "atol": 2e-6}}
"""Against float64. bfloat16 keeps eight bits, so rounding the result moves it by 2^-9 of itself at most; twice that is
allowed, since float arithmetic before it may fall onto the other side of a boundary. The inputs are the same numbers."""

GRID, BLOCK = 2, 64
"""Fewer threads than packs, so that each takes several."""
PLACES = [(1, 0, 0), (31, 0, 0), (33, 1, 1), (1000, 0, 0), (1001, 3, 3), (200, 0, 1), (203, 1, 0)]
"""Sizes, and by how many elements the first array and the others are shifted: packs fit from some element on, or
nowhere."""
FEW_PLACES = [(37, 1, 1), (11, 1, 0)]
"""For the sanitizers."""


class Framed:
    """An array of `dtype` in the middle of a larger one. `shift` elements further on it is not aligned any more."""

    def __init__(self, shape: Any, dtype: str, values: Any = None, shift: int = 0) -> None:
        self.start, self.size = MARGIN + shift, int(np.prod(shape))
        stored = DTYPES.get(dtype) or np.dtype(dtype)
        self.frame = FRAME_OF_RESULTS if values is None else FRAME
        memory = np.full(stored.itemsize * (self.size + 3 * MARGIN) + 16, self.frame, np.uint8)
        begin = -memory.ctypes.data % 16
        self.whole = memory[begin : begin + len(memory) - 16].view(stored)
        self.array = self.whole[self.start : self.start + self.size].reshape(shape)
        if values is not None:
            self.array[...] = values
        else:
            self.array.reshape(-1).view(np.uint8)[...] = FRAME

    @property
    def values(self) -> np.ndarray:
        """A copy of what is in there, as float64."""
        return wide(self.array)

    def assert_frame_is_whole(self) -> None:
        """Nothing was written before or after the array."""
        frame = self.whole[: self.start].tobytes() + self.whole[self.start + self.size :].tobytes()
        assert set(frame) == {self.frame}, "written outside of the array"


class Builder:
    """Collects launches and what has to come out of them."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.launches: list[Launch] = []
        self.expected: list[tuple[Framed, Any, dict[str, float]]] = []
        self.framed: list[Framed] = []

    def array(self, shape: Any, dtype: str = "float32", values: Any = None, shift: int = 0) -> Framed:
        """With these values, or not written as yet."""
        self.framed.append(Framed(shape, dtype, values, shift))
        return self.framed[-1]

    def normal(self, shape: Any, dtype: str = "float32", shift: int = 0, scale: float = 1.0) -> Framed:
        """Random numbers."""
        return self.array(shape, dtype, scale * self.rng.standard_normal(shape), shift)

    def launch(self, kernel: str, grid: Any, block: int, *args: Any) -> None:
        """Python's int is passed as int and float as float; what has another type is a NumPy scalar."""
        types = {int: np.int32, float: np.float32}
        given = [a.array if isinstance(a, Framed) else types.get(type(a), lambda x: x)(a) for a in args]
        self.launches.append(Launch(kernel, grid, block, given))

    def expect(self, out: Framed, expected: Any, **tolerance: float) -> None:
        """Numbers, or a function that gives them afterwards; exactly for integers, else within TOLERANCE or this one."""
        self.expected.append((out, expected, tolerance or TOLERANCE.get(out.array.dtype.name, {"rtol": 0})))

    def case(self) -> Case:
        """What the tests run."""
        return Case(self.launches, self.check)

    def check(self) -> None:
        """Everything that was expected is there, and no frame was touched."""
        for out, expected, tolerance in self.expected:
            expected = expected() if callable(expected) else expected
            np.testing.assert_allclose(out.values, np.broadcast_to(expected, out.array.shape), **tolerance)
        for framed in self.framed:
            framed.assert_frame_is_whole()
