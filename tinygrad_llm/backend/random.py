"""Random numbers that depend on what they are for, not on who asks first.

A batch that is split over two threads must drop the same activations as the whole batch on one. So a draw is keyed by
(seed, step, call, example): the same key gives the same numbers, in whatever order and by whatever thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.backend.arrays import Array
from tinygrad_llm.backend.cuda import load_cupy

_MASK = (1 << 64) - 1


class KeyedStream:
    """A stand-in for `np.random.Generator.random` whose first axis is the example.

    `call` counts the draws of one forward pass: the same layer has the same number in every thread. Philox is a
    counter-based generator: its key and counter are its whole state (Salmon et al., "Parallel Random Numbers: As Easy
    as 1, 2, 3", 2011).
    """

    def __init__(self, seed: int, step: int, first_example: int = 0) -> None:
        self.seed, self.step, self.first_example, self.call = seed & _MASK, step & _MASK, first_example, 0

    def random(self, size: tuple[int, ...], dtype: Any = np.float64) -> Array:
        """Uniform numbers in [0, 1) of shape `size` = (examples, ...)."""
        out = np.empty(size, dtype)
        key = np.array([self.seed, self.step], np.uint64)  # of a list beyond 2^63 NumPy makes float64
        for example in range(size[0]):
            counter = [0, self.call, self.first_example + example, 0]
            bits = np.random.Philox(key=key, counter=counter)
            out[example] = np.random.Generator(bits).random(size[1:], dtype)
        self.call += 1
        return out


class DeviceStream:
    """The same idea where the numbers are drawn on a GPU: seed and step lie in the GPU's memory.

    counter  two uint64 on the GPU, (seed, step). A kernel reads them when it runs, so a recorded step that is replayed
             draws new numbers when the step in there has moved on.
    call     counts the draws of one forward pass, as in `KeyedStream`.

    The numbers are others than the CPU's: its Philox counts in 64 bits, the kernels' in 32.
    """

    def __init__(self, counter: Array, first_example: int = 0) -> None:
        self.counter, self.first_example, self.call = counter, first_example, 0

    @classmethod
    def at(cls, seed: int, step: int) -> DeviceStream:
        """A stream of its own, for one forward pass."""
        return cls(load_cupy().asarray(np.array([seed & _MASK, step & _MASK], np.uint64)))

    def next_call(self) -> int:
        """The number of this draw."""
        self.call += 1
        return self.call - 1

    def random(self, size: tuple[int, ...], dtype: Any = np.float32) -> Array:
        """Uniform float32 numbers in [0, 1) of shape `size` = (examples, ...)."""
        from tinygrad_llm.backend.cuda_ops import uniform

        return uniform(size, self).astype(dtype, copy=False)
