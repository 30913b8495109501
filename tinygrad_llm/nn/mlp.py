"""The feed-forward half of a transformer block: every position by itself is widened, activated, and narrowed again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.nn.layers import Dropout, Linear, Rng
from tinygrad_llm.nn.module import Module

QUICK = 1.702
"""x sigmoid(1.702 x) ~ x Phi(x): Hendrycks and Gimpel, 2016, section 2."""
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": lambda x: ops.gelu(x),
    "gelu_new": lambda x: ops.gelu(x, approximate="tanh"),
    "quick_gelu": lambda x: x * ops.sigmoid(x * QUICK),
    "relu": lambda x: ops.relu(x),
    "silu": lambda x: ops.silu(x),
}
"""By Hugging Face's names; gelu_new is the tanh form, GPT-2's, and quick_gelu CLIP's."""
GELUS = {"gelu": "none", "gelu_new": "tanh"}
"""Those that add a bias on their way, and what `ops.gelu` calls them."""


class MLP(Module):
    """down_proj(activation(up_proj(x))).  (..., D) -> (..., D), through F = `hidden`, 4 D where None.

    dropout         of the result; hidden_dropout of the activations (BART has both).
    std, out_std    standard deviations of the first weights of up_proj and down_proj.
    """

    def __init__(
        self,
        width: int,
        hidden: int | None = None,
        bias: bool = True,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator,
        activation: str = "gelu_new",
        hidden_dropout: float = 0.0,
        std: float | None = None,
        out_std: float | None = None,
        dtype: Any = np.float32,
    ) -> None:
        if activation not in ACTIVATIONS:
            raise ArgumentError("activation", " or ".join(ACTIVATIONS), repr(activation))
        hidden = 4 * width if hidden is None else hidden
        self.up_proj = Linear(width, hidden, bias, rng=rng, std=std, dtype=dtype)
        self.down_proj = Linear(hidden, width, bias, rng=rng, std=out_std, dtype=dtype)
        self.activation, self.hidden_dropout, self.dropout = activation, Dropout(hidden_dropout), Dropout(dropout)

    def __call__(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        hidden = self.hidden_dropout(self._activated(x), rng)
        return self.dropout(self.down_proj(hidden), rng)

    def _activated(self, x: Tensor) -> Tensor:
        """activation(up_proj(x)). A plain layer's bias is added where GELU reads the product, a layer that stands in
        its place adds its own."""
        up = self.up_proj
        if type(up) is Linear and up.bias is not None and self.activation in GELUS:
            return ops.gelu(up.product(x), up.bias, approximate=GELUS[self.activation])
        return ACTIVATIONS[self.activation](up(x))


class SwiGLU(Module):
    """W_down (silu(W_gate x) * W_up x).  (..., D) -> (..., D), through F.  Llama's.

    bias          of all three; the paper has none.
    std, out_std  standard deviations of the first weights: of gate_proj and up_proj; of down_proj, as std where None.

    Source: Shazeer, "GLU Variants Improve Transformer", 2020.
    """

    def __init__(
        self,
        width: int,
        hidden: int,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator,
        bias: bool = False,
        std: float | None = None,
        out_std: float | None = None,
        dtype: Any = np.float32,
    ) -> None:
        make: dict[str, Any] = {"rng": rng, "dtype": dtype}
        self.gate_proj = Linear(width, hidden, bias, std=std, **make)
        self.up_proj = Linear(width, hidden, bias, std=std, **make)
        self.down_proj = Linear(hidden, width, bias, std=std if out_std is None else out_std, **make)
        self.dropout = Dropout(dropout)

    def __call__(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        return self.dropout(self.down_proj(ops.swiglu(self.gate_proj(x), self.up_proj(x))), rng)
