"""Adapters in the narrower sense: a small network behind each part of a layer.

Source: Houlsby et al., "Parameter-Efficient Transfer Learning for NLP", 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune.adapted import Adapter, Below, linear_sizes
from tinygrad_llm.finetune.config import AdapterConfig, Patterns
from tinygrad_llm.nn import ACTIVATIONS, Dropout, Linear, Rng


@dataclass(frozen=True)
class HoulsbyConfig(AdapterConfig):
    """target_modules: see AdapterConfig; the paper puts one behind what attention adds, and one behind the MLP.

    bottleneck          m, the width in between.
    activation          f, by its name in nn.ACTIVATIONS.
    bottleneck_dropout  of what the adapter adds.
    """

    target_modules: Patterns = ("o_proj", "down_proj")
    bottleneck: int = 8
    activation: str = "gelu"
    bottleneck_dropout: float = 0.0

    @property
    def dropout(self) -> float:
        """See AdapterConfig."""
        return self.bottleneck_dropout

    def adapter(self, path: str, layer: Any, *, rng: np.random.Generator, dtype: Any) -> Houlsby:
        """See AdapterConfig."""
        return Houlsby(layer, self.bottleneck, self.activation, self.bottleneck_dropout, rng=rng, dtype=dtype)


class Houlsby(Adapter):
    """h + up(f(down(h))) of what the layer gives, h = W x + b.  (..., I) -> (..., O), through m = `bottleneck`.

    It is no linear layer, and cannot be merged into one. `up` is zero at first, so that nothing is changed; the paper
    draws it near zero.
    """

    def __init__(
        self,
        layer: Any,
        bottleneck: int = 8,
        activation: str = "gelu",
        dropout: float = 0.0,
        *,
        rng: np.random.Generator,
        dtype: Any = np.float32,
    ) -> None:
        sizes = linear_sizes(layer)
        if sizes is None:
            raise ArgumentError("layer", "a linear layer", type(layer).__name__)
        if activation not in ACTIVATIONS:
            raise ArgumentError("activation", " or ".join(ACTIVATIONS), repr(activation))
        self.activation, self.dropout = activation, Dropout(dropout)
        self.down = Linear(sizes[1], bottleneck, rng=rng, dtype=dtype)
        self.up = Linear(bottleneck, sizes[1], rng=rng, std=0.0, dtype=dtype)

    def __call__(self, x: Tensor, below: Below, base: Any, rng: Rng | None = None) -> Tensor:
        h = below(x)
        return h + self.dropout(self.up(ACTIVATIONS[self.activation](self.down(h))), rng)

    def weights(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Raises ArgumentError: there are none."""
        next_step = "Keep the adapter beside the layer."
        raise ArgumentError("merge", "an adapter that is linear", "Houlsby's, which bends", next_step)
