"""RoPE of one token of each row, as complex numbers: turning by an angle is a product with cos + i sin."""

from __future__ import annotations

import numpy as np

from tinygrad_llm.nn.rope_scaling import RopeScaling, plain


class Turns:
    """magnitude (cos + i sin) of position times frequency, for each pair of a head's coordinates.

    They are looked up in a table that doubles with the longest position, but for a scaling whose frequencies change
    with every token. Source: Su et al., "RoFormer", 2021, section 3.4.2.
    """

    def __init__(self, head_size: int, base: float, scaling: RopeScaling | None, dtype: np.dtype) -> None:
        self.head_size, self.base, self.scaling = head_size, base, scaling
        self.dtype = np.result_type(dtype, np.complex64)
        self.table = np.empty((0, head_size // 2), self.dtype)

    def put(self, positions_B: np.ndarray, longest: int, out: np.ndarray) -> None:
        """Writes those of each row's position into (B, 1, K/2), where the longest text has so many tokens."""
        if self._changes(longest):
            out[:, 0] = self._turns(positions_B, longest)
            return
        if longest > len(self.table):
            self.table = self._turns(np.arange(2 * longest), longest)
        self.table.take(positions_B, 0, out=out[:, 0], mode="clip")  # without it, `take` would write into a copy first

    def _changes(self, longest: int) -> bool:
        """Whether the frequencies are others than those of the text that was a token shorter."""
        scaling = self.scaling
        return scaling is not None and scaling.depends_on(longest) != scaling.depends_on(longest - 1)

    def _turns(self, positions: np.ndarray, longest: int) -> np.ndarray:
        """(T,) -> (T, K/2), of the model's precision; angles in float64."""
        if self.scaling is None:
            frequencies, magnitude = plain(self.head_size, self.base), 1.0
        else:
            frequencies = self.scaling.frequencies(self.head_size, self.base, longest)
            magnitude = self.scaling.magnitude()
        return (magnitude * np.exp(1j * positions[:, None] * frequencies)).astype(self.dtype)
