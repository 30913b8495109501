"""AdamW: each parameter has a step size of its own, from the size of its recent gradients."""

from __future__ import annotations

import math
from collections.abc import Callable

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, fused, namespace
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.optim.flat import Parameters, chunks, matrices_decay, scratch
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
        parameters: Parameters,
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
        """Chunk by chunk: thirteen short passes in the cache, and memory is read once.

        m/(1 - b1^t) / (sqrt(v/(1 - b2^t)) + eps) is computed as m / (sqrt(v) + eps c), with the rest in the step size.
        """
        b1, b2 = self.betas
        step_size, correction = self._corrected()
        xp = namespace(gradient)
        # arrays without axes: NumPy takes half a microsecond to convert a Python number, as long as a short pass lasts
        first, second, keep_m, keep_v, eps, step_size, keep_w = (
            xp.asarray(number, dtype=gradient.dtype)
            for number in (
                scale * (1 - b1), scale * math.sqrt(1 - b2), b1, b2,
                self.eps / correction, step_size / correction, 1 - self.lr * weight_decay,
            )
        )  # fmt: skip
        (whole,) = scratch(gradient, 1)
        for chunk in chunks(gradient, start, stop):
            g, w, m, v = gradient[chunk], self.flat.data[chunk], self.state["m"][chunk], self.state["v"][chunk]
            a = xp.multiply(g, second, out=whole[: chunk.stop - chunk.start])
            a *= a
            v *= keep_v
            v += a
            xp.multiply(g, first, out=a)
            m *= keep_m
            m += a
            xp.sqrt(v, out=a)
            a += eps
            xp.divide(m, a, out=a)
            a *= step_size
            if weight_decay:
                w *= keep_w
            w -= a

    def _corrected(self) -> tuple[float, float]:
        """lr / (1 - b1^t) and 1 / sqrt(1 - b2^t)."""
        b1, b2 = self.betas
        return self.lr / (1 - b1**self.steps), 1 / math.sqrt(1 - b2**self.steps)

    def settings(self, number: int) -> list[float]:
        """lr, the two corrected factors, lr decay, and the step's number: see kernels/optimizer.cu."""
        corrected = self._corrected() if self.steps else (0.0, 0.0)
        return [self.lr, *corrected, self.lr * self.weight_decay, float(number)]

    def update_on_device(self, gradient: Array, settings: Array, state: Array) -> None:
        """The same rule in one kernel, g times the clip scale in `state`; nothing where a number was not finite."""
        moments = self.state["m"], self.state["v"]
        adam = (*self.betas, self.eps)
        fused(gradient).adamw(self.flat.data, *moments, gradient, self.flat.n_decaying, settings, state, adam)
