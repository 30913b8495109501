"""LoRA: what fine-tuning adds to a matrix is the product of a narrow and a flat one.

Sources: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021; Kalajdzievski, "A Rank Stabilization
Scaling Factor for Fine-Tuning with LoRA", 2023; Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation", 2024. Names
and first weights as in peft.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_dtype, device_of
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune.adapted import Adapter, Below, linear_sizes
from tinygrad_llm.finetune.config import AdapterConfig
from tinygrad_llm.nn import Dropout, Parameter, Rng, init
from tinygrad_llm.ranges import check_whole


@dataclass(frozen=True)
class LoraConfig(AdapterConfig):
    """target_modules: see AdapterConfig.

    r             the rank of what is added.
    lora_alpha    what is added is scaled by lora_alpha / r, so that a rate that suits one rank suits others.
    lora_dropout  of what the adapter reads, not of what the layer reads.
    use_rslora    scales by lora_alpha / sqrt(r) instead: with the other, a large rank learns ever less.
    use_dora      DoRA.
    """

    r: int = 8
    lora_alpha: float = 8
    lora_dropout: float = 0.0
    use_rslora: bool = False
    use_dora: bool = False

    @property
    def dropout(self) -> float:
        """See AdapterConfig."""
        return self.lora_dropout

    def adapter(self, path: str, layer: Any, *, rng: np.random.Generator, dtype: Any) -> LoRA:
        """See AdapterConfig."""
        kind = DoRA if self.use_dora else LoRA
        return kind(layer, self.r, self.lora_alpha, self.lora_dropout, self.use_rslora, rng=rng, dtype=dtype)


class LoRA(Adapter):
    """y = W x + b + s B A x.  (..., I) -> (..., O), with A (r, I), B (O, r) and s = alpha / r, or alpha / sqrt(r).

    Of O I numbers r (O + I) are learned. A is drawn uniformly from +-1/sqrt(I), B is zero: at first nothing is added.

    r, lora_alpha, lora_dropout, use_rslora  see LoraConfig.
    """

    def __init__(
        self,
        layer: Any,
        r: int = 8,
        lora_alpha: float = 8,
        lora_dropout: float = 0.0,
        use_rslora: bool = False,
        *,
        rng: np.random.Generator,
        dtype: Any = np.float32,
    ) -> None:
        check_whole(r=r)
        if isinstance(lora_alpha, bool) or not isinstance(lora_alpha, int | float) or not 0 < lora_alpha < math.inf:
            raise ArgumentError("lora_alpha", "a number above 0", repr(lora_alpha))
        sizes = linear_sizes(layer)
        if sizes is None:
            raise ArgumentError("layer", "a linear layer", type(layer).__name__)
        inputs, outputs = sizes
        self.lora_alpha, self.use_rslora, self.dropout = lora_alpha, use_rslora, Dropout(lora_dropout)
        drawn = rng.uniform(-1, 1, (r, inputs)) / math.sqrt(inputs)
        self.lora_A = Parameter(drawn.astype(as_dtype(dtype)))
        self.lora_B = init.zeros((outputs, r), dtype)

    @property
    def r(self) -> int:
        """The rank."""
        return self.lora_A.shape[0]

    @property
    def scaling(self) -> float:
        """s, what B A is multiplied by."""
        return self.lora_alpha / (math.sqrt(self.r) if self.use_rslora else self.r)

    def added(self, x: Tensor) -> Tensor:
        """s B A x.  (..., I) -> (..., O)"""
        return ops.linear(ops.linear(x, self.lora_A) * self.scaling, self.lora_B)

    def __call__(self, x: Tensor, below: Below, base: Any, rng: Rng | None = None) -> Tensor:
        return below(x) + self.added(self.dropout(x, rng))

    def weights(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """W + s B A, and b."""
        return weight + (self.lora_B @ self.lora_A) * self.scaling, bias


class DoRA(LoRA):
    """y = (m / n) (W + s B A) x + b, where n are the lengths of the rows of W + s B A.  (..., I) -> (..., O)

    A row's direction, which LoRA turns, and its length m (O,) are learned apart; m begins as the rows' own lengths. As
    in section 4.3, n is a constant to the gradient. The paper's matrices are the transposes of ours: its columns.

    Dropout is of all that the adapter adds to W x + b, as in peft: (m / n - 1) W x too.
    """

    alone = True

    def __init__(
        self, layer: Any, *args: Any, rng: np.random.Generator, dtype: Any = np.float32, **options: Any
    ) -> None:
        super().__init__(layer, *args, rng=rng, dtype=dtype, **options)
        self.to(device_of(layer.weight.data))  # lengths are of the layer's weights, wherever these are
        self.lora_magnitude_vector = Parameter(self._lengths(layer.weight).data.astype(as_dtype(dtype)))

    def __call__(self, x: Tensor, below: Below, base: Any, rng: Rng | None = None) -> Tensor:
        ratio = self._ratio(base.weight).astype(x.dtype)
        dropped = self.dropout(x, rng)
        return below(x) + (ratio - 1) * ops.linear(dropped, base.weight) + ratio * self.added(dropped)

    def weights(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(m / n) (W + s B A), and b."""
        turned, bias = super().weights(weight, bias)
        return self._ratio(weight).reshape(-1, 1) * turned, bias

    def _ratio(self, weight: Tensor) -> Tensor:
        """m / n.  (O,)"""
        return self.lora_magnitude_vector / self._lengths(weight)

    def _lengths(self, weight: Tensor) -> Tensor:
        """n, without a gradient.  (O,)"""
        turned = super().weights(weight.detach(), None)[0].detach()
        return ops.sqrt((turned * turned).sum(1)).detach()
