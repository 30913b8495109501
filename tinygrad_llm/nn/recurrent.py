"""Layers that read from left to right and carry a state. One layer each; put several into a list for more."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.nn import init
from tinygrad_llm.nn.module import Module
from tinygrad_llm.ranges import check_whole


class RNN(Module):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh).  (B, T, I), h_0 (B, F) -> all h (B, T, F), the last (B, F)

    weight_ih (F, I), weight_hh (F, F), bias_ih and bias_hh (F,), as in PyTorch (there with _l0, and an axis for layers
    before h_0). First weights are normal with std 1/sqrt(I) and gain/sqrt(F): gain is then about the size of
    W_hh's largest eigenvalue (Girko's circular law), by whose powers the state's past is scaled. Biases start at 0.
    """

    def __init__(
        self, inputs: int, hidden: int, *, rng: np.random.Generator, gain: float = 1.0, dtype: Any = np.float32
    ) -> None:
        check_whole(inputs=inputs, hidden=hidden)
        self.weight_ih = init.normal(rng, (hidden, inputs), inputs**-0.5, dtype)
        self.weight_hh = init.normal(rng, (hidden, hidden), gain * hidden**-0.5, dtype)
        self.bias_ih, self.bias_hh = init.zeros((hidden,), dtype), init.zeros((hidden,), dtype)

    def __call__(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """All states and the last; `state` is h_0, zero where None."""
        (h,) = self.sequence(x, None if state is None else (state,))
        return h, h[:, -1]

    def sequence(self, x: Tensor, state: Any = None) -> tuple[Tensor, ...]:
        """The parts of the state, here h alone, after every step, (B, T, F) each; `state` is what was before."""
        (h0,) = state or (None,)
        return (ops.rnn(x, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, h0),)


class GRU(Module):
    """h_t = (1 - z) n + z h_(t-1); see ops.gru.  (B, T, I), h_0 (B, F) -> all h (B, T, F), the last (B, F)

    weight_ih (3F, I), weight_hh (3F, F), bias_ih and bias_hh (3F,), gates in the order r, z, n, as in PyTorch. First
    weights are normal with std 1/sqrt(I) and 1/sqrt(F), biases 0.
    """

    def __init__(self, inputs: int, hidden: int, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        check_whole(inputs=inputs, hidden=hidden)
        self.weight_ih = init.normal(rng, (3 * hidden, inputs), inputs**-0.5, dtype)
        self.weight_hh = init.normal(rng, (3 * hidden, hidden), hidden**-0.5, dtype)
        self.bias_ih, self.bias_hh = init.zeros((3 * hidden,), dtype), init.zeros((3 * hidden,), dtype)

    def __call__(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """All states and the last; `state` is h_0, zero where None."""
        h = ops.gru(x, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, state)
        return h, h[:, -1]


class LSTM(Module):
    """c_t = f c_(t-1) + i g, h_t = o tanh(c_t); see ops.lstm.  (B, T, I) -> all h (B, T, F), the last (h, c)

    weight_ih (4F, I), weight_hh (4F, F), bias_ih and bias_hh (4F,), gates in the order i, f, g, o, as in PyTorch. First
    weights are normal with std 1/sqrt(I) and 1/sqrt(F), biases 0, but `forget_bias` for f: at 1 it keeps
    sigmoid(1) = 73 % a step to begin with, at 0 half (Jozefowicz et al., "An Empirical Exploration of Recurrent Network
    Architectures", 2015).
    """

    def __init__(
        self, inputs: int, hidden: int, *, rng: np.random.Generator, forget_bias: float = 1.0, dtype: Any = np.float32
    ) -> None:
        check_whole(inputs=inputs, hidden=hidden)
        self.weight_ih = init.normal(rng, (4 * hidden, inputs), inputs**-0.5, dtype)
        self.weight_hh = init.normal(rng, (4 * hidden, hidden), hidden**-0.5, dtype)
        self.bias_ih, self.bias_hh = init.zeros((4 * hidden,), dtype), init.zeros((4 * hidden,), dtype)
        self.bias_ih.assign(np.repeat([0.0, forget_bias, 0.0, 0.0], hidden))

    def __call__(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """All h, and the last (h, c); `state` is (h_0, c_0), zero where None."""
        h, c = self.sequence(x, state)
        return h, (h[:, -1], c[:, -1])

    def sequence(self, x: Tensor, state: Any = None) -> tuple[Tensor, Tensor]:
        """h and c after every step, (B, T, F) each; `state` is (h_0, c_0), zero where None."""
        h0, c0 = state or (None, None)
        both = ops.lstm(x, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, h0, c0)
        return both[0], both[1]
