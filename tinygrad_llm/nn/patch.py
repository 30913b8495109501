"""Pictures as sequences: a picture is cut into square patches, and each becomes one vector, as a word does."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_array, is_float, to_device_of
from tinygrad_llm.errors import DtypeError, ShapeError
from tinygrad_llm.nn.layers import Linear
from tinygrad_llm.nn.module import Module
from tinygrad_llm.ranges import check_whole


class PatchEmbedding(Module):
    """One linear layer over the numbers of each patch.  (B, C, Y, X) -> (B, N, D), N = Y/P * X/P

    The patches come row by row, the numbers of each by channel, row and column: so the weight (D, C P P) is that of a
    convolution (D, C, P, P) whose windows do not overlap.  Source: Dosovitskiy et al., "An Image is Worth 16x16 Words",
    2021, section 3.1.

    channels  C of the pictures.
    patch     P, the side of a patch.
    """

    def __init__(
        self,
        channels: int,
        patch: int,
        width: int,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        std: float | None = None,
        dtype: Any = np.float32,
    ) -> None:
        check_whole(channels=channels, patch=patch)
        self.channels, self.patch = channels, patch
        self.proj = Linear(channels * patch * patch, width, bias, rng=rng, std=std, dtype=dtype)

    def __call__(self, pictures: Any) -> Tensor:
        """A vector a patch.

        Raises ShapeError for pictures that are not (B, C, Y, X) or cannot be cut, DtypeError for integers.
        """
        return self.proj(cut(self._pixels(pictures), self.patch))

    def _pixels(self, pictures: Any) -> Tensor:
        """The pictures in the precision of the weights; an array of the host's goes where they are."""
        x = pictures
        if not isinstance(x, Tensor):
            x = Tensor(to_device_of(as_array(pictures), self.proj.weight.data))
        sides = x.shape[2:]
        if x.ndim != 4 or x.shape[1] != self.channels or any(side < 1 or side % self.patch for side in sides):
            wanted = f"(B, {self.channels}, Y, X), both sides multiples of {self.patch}"
            raise ShapeError("pictures", wanted, x.shape, "Put a single picture into a batch of one: pictures[None].")
        if not is_float(x.dtype):
            raise DtypeError("pictures", "floats", x.dtype, "Divide bytes by 255.")
        return x if x.dtype == self.proj.weight.dtype else x.astype(self.proj.weight.dtype)


def cut(pictures: Tensor, patch: int) -> Tensor:
    """The numbers of each patch, row by row of patches.  (B, C, Y, X) -> (B, N, C P P)"""
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    x = pictures.reshape(batch, channels, rows, patch, columns, patch).transpose(0, 2, 4, 1, 3, 5)
    return x.reshape(batch, rows * columns, channels * patch * patch)
