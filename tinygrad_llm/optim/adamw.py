"""AdamW: each parameter has a step size of its own, from the size of its recent gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, namespace
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.optim.flat import CHUNK, chunks, matrices_decay, scratch
from tinygrad_llm.optim.optimizer import Optimizer


class AdamW(Optimizer):
    """w <- w (1 - lr decay) - lr m' / (sqrt(v') + eps)

    with m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, and m' = m/(1 - b1^t), v' = v/(1 - b2^t), which correct for
    the start at zero. The decay does not pass through m and v: that is the W.

    decays  which parameters the decay applies to; matrices where not given.
    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019 (their eta_t lambda is our lr decay).
    """

    moments = ("m", "v")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        decays: Callable[[Tensor], bool] = matrices_decay,
    ) -> None:
        if not all(0 <= b < 1 for b in betas):
            raise ArgumentError("betas", "two numbers in [0, 1)", betas)
        if not eps > 0:
            raise ArgumentError("eps", "a positive number", eps)
        super().__init__(parameters, lr, weight_decay, decays)
        self.betas, self.eps = betas, eps

    def update_range(self, gradient: Array, start: int, stop: int, scale: float, weight_decay: float) -> None:
        """Chunk by chunk, so that fifteen short passes read memory once."""
        b1, b2 = self.betas
        step_size = self.lr / (1 - b1**self.steps)
        correction = 1 / math.sqrt(1 - b2**self.steps)
        xp = namespace(gradient)
        whole_a, whole_b = scratch(gradient, 2)
        for chunk in chunks(start, stop, CHUNK):
            n = chunk.stop - chunk.start
            a, b = whole_a[:n], whole_b[:n]
            w, m, v = self.flat.data[chunk], self.state["m"][chunk], self.state["v"][chunk]
            xp.multiply(gradient[chunk], scale, out=a)
            xp.subtract(a, m, out=b)
            b *= 1 - b1
            m += b
            xp.multiply(a, a, out=a)
            a -= v
            a *= 1 - b2
            v += a
            xp.sqrt(v, out=a)
            a *= correction
            a += self.eps
            xp.divide(m, a, out=a)
            a *= step_size
            if weight_decay:
                w *= 1 - self.lr * weight_decay
            w -= a
