"""(IA)^3: what flows is scaled, coordinate by coordinate, and nothing else is learned.

Source: Liu et al., "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning", 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune.adapted import Adapter, Below, linear_sizes
from tinygrad_llm.finetune.config import AdapterConfig, Patterns, as_patterns, fits_end
from tinygrad_llm.nn import Rng, init


@dataclass(frozen=True)
class IA3Config(AdapterConfig):
    """target_modules: see AdapterConfig; the paper scales keys, values, and what the MLP's second matrix reads.

    feedforward_modules  patterns of those of them whose input is scaled; of the others it is the output.
    """

    target_modules: Patterns = ("k_proj", "v_proj", "down_proj")
    feedforward_modules: Patterns = ("down_proj",)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "feedforward_modules", as_patterns(self.feedforward_modules))

    def adapter(self, path: str, layer: Any, *, rng: np.random.Generator, dtype: Any) -> IA3:
        """See AdapterConfig."""
        return IA3(layer, fits_end(self.feedforward_modules, path), dtype=dtype)


class IA3(Adapter):
    """y = l * (W x + b), with l (O,); or with `is_feedforward` y = W (l * x) + b, with l (I,).  l is 1 at first."""

    def __init__(self, layer: Any, is_feedforward: bool = False, *, dtype: Any = np.float32) -> None:
        sizes = linear_sizes(layer)
        if sizes is None:
            raise ArgumentError("layer", "a linear layer", type(layer).__name__)
        self.is_feedforward = is_feedforward
        self.ia3_l = init.ones((sizes[0] if is_feedforward else sizes[1],), dtype)

    def __call__(self, x: Tensor, below: Below, base: Any, rng: Rng | None = None) -> Tensor:
        factors = self.ia3_l.astype(x.dtype)
        return below(x * factors) if self.is_feedforward else below(x) * factors

    def weights(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """W with its columns, or W and b with their rows, times l."""
        if self.is_feedforward:
            return weight * self.ia3_l, bias
        return weight * self.ia3_l.reshape(-1, 1), None if bias is None else bias * self.ia3_l
