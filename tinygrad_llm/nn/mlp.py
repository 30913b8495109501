"""The position-wise half of a transformer block: each position is widened, bent, and narrowed again."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.nn.layers import Dropout, Linear, Rng
from tinygrad_llm.nn.module import Module


class MLP(Module):
    """W2 gelu(W1 x).  (..., D) -> (..., D), through F = 4 D.  GPT-2's, with the tanh form of GELU."""

    def __init__(
        self,
        width: int,
        hidden: int | None = None,
        bias: bool = True,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator,
        std: float | None = None,
        out_std: float | None = None,
        dtype: Any = np.float32,
    ) -> None:
        hidden = 4 * width if hidden is None else hidden
        self.c_fc = Linear(width, hidden, bias, rng=rng, std=std, dtype=dtype)
        self.c_proj = Linear(hidden, width, bias, rng=rng, std=out_std, dtype=dtype)
        self.dropout = Dropout(dropout)

    def __call__(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        return self.dropout(self.c_proj(ops.gelu(self.c_fc(x), approximate="tanh")), rng)


class SwiGLU(Module):
    """W_down (silu(W_gate x) * W_up x).  (..., D) -> (..., D), through F.  Llama's.

    Source: Shazeer, "GLU Variants Improve Transformer", 2020. No biases, as there.
    """

    def __init__(
        self,
        width: int,
        hidden: int,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator,
        std: float | None = None,
        dtype: Any = np.float32,
    ) -> None:
        self.gate_proj = Linear(width, hidden, bias=False, rng=rng, std=std, dtype=dtype)
        self.up_proj = Linear(width, hidden, bias=False, rng=rng, std=std, dtype=dtype)
        self.down_proj = Linear(hidden, width, bias=False, rng=rng, std=std, dtype=dtype)
        self.dropout = Dropout(dropout)

    def __call__(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        return self.dropout(self.down_proj(ops.swiglu(self.gate_proj(x), self.up_proj(x))), rng)
