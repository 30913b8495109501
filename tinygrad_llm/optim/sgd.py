"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Callable

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, fused, namespace
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.optim.flat import Parameters, chunks, matrices_decay, scratch
from tinygrad_llm.optim.optimizer import Optimizer


class SGD(Optimizer):
    """w <- w - lr u, with u = g + decay w without momentum, and the velocity u <- momentum u + g + decay w with it.

    nesterov  uses g + momentum u instead of u: the gradient at the point that the velocity leads to.
    decays    which parameters the decay applies to; matrices where not given.
    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, in PyTorch's
    form (the learning rate multiplies the velocity).
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1e-2,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        decays: Callable[[Tensor], bool] = matrices_decay,
    ) -> None:
        if not 0 <= momentum < 1:
            raise ArgumentError("momentum", "a number in [0, 1)", momentum)
        if nesterov and not momentum:
            raise ArgumentError("nesterov", "a momentum above 0", momentum)
        self.moments = ("velocity",) if momentum else ()
        super().__init__(parameters, lr, weight_decay, decays)
        self.momentum, self.nesterov = momentum, nesterov

    def update_range(self, gradient: Array, start: int, stop: int, scale: float, weight_decay: float) -> None:
        """Chunk by chunk, as AdamW."""
        xp = namespace(gradient)
        whole_a, whole_b = scratch(gradient, 2)
        for chunk in chunks(gradient, start, stop):
            n = chunk.stop - chunk.start
            a, b, w = whole_a[:n], whole_b[:n], self.flat.data[chunk]
            xp.multiply(gradient[chunk], scale, out=a)
            if weight_decay:
                a += xp.multiply(w, weight_decay, out=b)
            if self.momentum:
                u = self.state["velocity"][chunk]
                u *= self.momentum
                u += a
                a = xp.add(a, xp.multiply(u, self.momentum, out=b), out=a) if self.nesterov else u
            w -= xp.multiply(a, self.lr, out=b)

    def update_on_device(self, gradient: Array, settings: Array, state: Array) -> None:
        """The same rule in one kernel; nothing where `state` says that a number was not finite."""
        rule = self.momentum, self.nesterov, self.weight_decay
        velocity = self.state.get("velocity")
        fused(gradient).sgd(self.flat.data, velocity, gradient, self.flat.n_decaying, settings, state, rule)
