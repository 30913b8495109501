"""Random numbers that depend on what they are for, not on who asks first.

A batch that is split over two threads must drop the same activations as the whole batch on one. So a draw is keyed by
(seed, step, call, example): the same key gives the same numbers, in whatever order and by whatever thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.backend.arrays import Array

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
        for example in range(size[0]):
            counter = [0, self.call, self.first_example + example, 0]
            bits = np.random.Philox(key=[self.seed, self.step], counter=counter)
            out[example] = np.random.Generator(bits).random(size[1:], dtype)
        self.call += 1
        return out
