"""The order in which examples come, epoch after epoch."""

from __future__ import annotations

import numpy as np

from tinygrad_llm.errors import DataError
from tinygrad_llm.ranges import check_whole


class Epochs:
    """rows(n): which of `count` examples the n-th batch has, each epoch in a new order; a pure function of the seed and
    n. An epoch goes on within a batch where the one before has ended.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        check_whole(batch_size=batch_size)
        if not count:
            raise DataError("data", "at least one example", "none")
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self.order: tuple[int, np.ndarray] = -1, np.zeros(0, np.int64)

    def rows(self, n: int) -> list[int]:
        """Numbers from 0 to count - 1, batch_size of them."""
        places = range(n * self.batch_size, (n + 1) * self.batch_size)
        return [int(self._epoch(i // self.count)[i % self.count]) for i in places]

    def _epoch(self, number: int) -> np.ndarray:
        """The order of one pass over all."""
        if self.order[0] != number:
            self.order = number, np.random.default_rng((self.seed, number)).permutation(self.count)
        return self.order[1]
