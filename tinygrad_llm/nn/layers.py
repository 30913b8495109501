"""The layers without structure of their own: each is its parameters and one operation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import KeyedStream
from tinygrad_llm.nn import init
from tinygrad_llm.nn.module import Module
from tinygrad_llm.ops.dropout import check_probability
from tinygrad_llm.ranges import check_whole

Rng = np.random.Generator | KeyedStream
"""What draws the random numbers of dropout."""


class Linear(Module):
    """y = x W^T + b.  (..., I) -> (..., O), weight (O, I), bias (O,).

    std is the standard deviation of the first weights, 1/sqrt(I) where None, which keeps the variance of x.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        std: float | None = None,
        dtype: Any = np.float32,
    ) -> None:
        check_whole(inputs=inputs, outputs=outputs)
        self.weight = init.normal(rng, (outputs, inputs), inputs**-0.5 if std is None else std, dtype)
        self.bias = init.zeros((outputs,), dtype) if bias else None

    def __call__(self, x: Tensor) -> Tensor:
        return ops.linear(x, self.weight, self.bias)

    def product(self, x: Tensor) -> Tensor:
        """x W^T, for whoever adds the bias on its own way."""
        return ops.linear(x, self.weight)


class Embedding(Module):
    """Row number `id` of a table.  (...) integers -> (..., D), weight (V, D)."""

    def __init__(
        self, count: int, width: int, *, rng: np.random.Generator, std: float = 1.0, dtype: Any = np.float32
    ) -> None:
        check_whole(count=count, width=width)
        self.weight = init.normal(rng, (count, width), std, dtype)

    def __call__(self, ids: Any) -> Tensor:
        return ops.embedding(self.weight, ids)


class LayerNorm(Module):
    """(x - mean) / sqrt(var + eps) * w + b over the last axis.  (..., D) -> (..., D)"""

    def __init__(self, width: int, bias: bool = True, *, eps: float = 1e-5, dtype: Any = np.float32) -> None:
        check_whole(width=width)
        self.weight, self.bias, self.eps = (
            init.ones((width,), dtype),
            init.zeros((width,), dtype) if bias else None,
            eps,
        )

    def __call__(self, x: Tensor) -> Tensor:
        return ops.layer_norm(x, self.weight, self.bias, eps=self.eps)


class RMSNorm(Module):
    """x / sqrt(mean x^2 + eps) * w over the last axis.  (..., D) -> (..., D)"""

    def __init__(self, width: int, *, eps: float = 1e-6, dtype: Any = np.float32) -> None:
        check_whole(width=width)
        self.weight, self.eps = init.ones((width,), dtype), eps

    def __call__(self, x: Tensor) -> Tensor:
        return ops.rms_norm(x, self.weight, eps=self.eps)


class Dropout(Module):
    """Zeroes entries with probability p and scales the others by 1/(1-p), exactly when an rng is given."""

    def __init__(self, p: float) -> None:
        self.p = check_probability("p", p)

    def __call__(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        return x if rng is None or self.p == 0 else ops.dropout(x, p=self.p, rng=rng)
