"""The MLPs of a CPU's decoding step: what is between the two products, and experts, which each token chooses anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tinygrad_llm.generate.cpu_weights import GELU_1, GELU_SCALE, Folded, FoldedBlock

Calls = list[Callable[[], Any]]


def activation(h: np.ndarray, gated: bool, calls: Calls) -> np.ndarray:
    """Adds the calls that make of h, the first product's result, what the second one reads.  -> where that will be"""
    return _swiglu(h, calls) if gated else _gelu(h, calls)


def _gelu(h: np.ndarray, calls: Calls) -> np.ndarray:
    """Of s h, times s, in place; see GELU_SCALE."""
    u, one, linear = np.empty_like(h), np.array(1, h.dtype), np.array(GELU_1 / GELU_SCALE, h.dtype)
    calls.append(partial(np.multiply, h, h, u))
    calls.append(partial(np.add, u, linear, u))
    calls.append(partial(np.multiply, u, h, u))  # GELU_1 h + GELU_3 h^3
    calls.append(partial(np.exp, u, u))
    calls.append(partial(np.add, u, one, u))
    calls.append(partial(np.divide, h, u, h))
    return h


def _swiglu(h: np.ndarray, calls: Calls) -> np.ndarray:
    """Of -g and -u side by side: g / (1 + exp(-g)) u.  (N, 2 F) -> (N, F)"""
    gate, up = np.split(h, 2, axis=1)
    y, one = np.empty(gate.shape, h.dtype), np.array(1, h.dtype)
    calls.append(partial(np.exp, gate, y))
    calls.append(partial(np.add, y, one, y))
    calls.append(partial(np.divide, gate, y, y))
    calls.append(partial(np.multiply, y, up, y))
    return y


class TokenExperts:
    """sum_j weight_j expert_j(x) over the C experts whose router's logits are largest, as nn.Experts; (B, D) -> (B, D).

    The weights are a softmax over the chosen: of shares that add up to 1 among themselves no more is left. Pairs of a
    token and an expert stand sorted by expert, so that each has its tokens side by side.

    x       (B, D), the tokens behind the norm; logits (B, E). The result is written into y (B, D).
    """

    def __init__(self, block: FoldedBlock, x: np.ndarray, logits: np.ndarray, y: np.ndarray) -> None:
        self.block, self.x, self.logits, self.y = block, x, logits, y
        (batch, width), chosen = x.shape, block.chosen
        self.rows = np.arange(batch)[:, None]
        self.weights = np.empty((batch, 1, chosen), x.dtype)
        self.own = np.empty((batch * chosen, width), x.dtype) if batch > 1 else np.broadcast_to(x, (chosen, width))
        self.h = np.empty((batch * chosen, len(block.ups[0].weight)), x.dtype)
        self.calls: Calls = []
        self.middle = activation(self.h, block.gated, self.calls)
        self.out = np.empty((batch * chosen, width), x.dtype)
        self.back = np.empty_like(self.out) if batch > 1 else self.out  # in the order of tokens

    def __call__(self) -> None:
        """Reads x and logits, writes y."""
        if len(self.x) == 1:
            parts = self._parts_of_one()
        else:
            pairs, parts = self._parts()
            self.x.take(pairs // self.block.chosen, 0, out=self.own, mode="clip")
        for expert, part in parts:
            _product(self.own[part], self.block.ups[expert], self.h[part])
        for call in self.calls:
            call()
        for expert, part in parts:
            _product(self.middle[part], self.block.downs[expert], self.out[part])
        if len(self.x) > 1:
            self.back[pairs] = self.out
        shape = len(self.x), self.block.chosen, self.x.shape[1]
        np.matmul(self.weights, self.back.reshape(shape), self.y[:, None])

    def _parts_of_one(self) -> list[tuple[int, slice]]:
        """The same of one token, whose experts need no sorting."""
        logits = self.logits[0]
        order = (-logits).argsort(kind="stable")[: self.block.chosen]
        self._weigh(logits[order], logits.max())
        return [(expert, slice(place, place + 1)) for place, expert in enumerate(order.tolist())]

    def _parts(self) -> tuple[np.ndarray, list[tuple[int, slice]]]:
        """The pairs (B C,), sorted by expert, and which of them each expert has that has any."""
        order = (-self.logits).argsort(axis=1, kind="stable")[:, : self.block.chosen]  # of equals the first
        self._weigh(self.logits[self.rows, order], self.logits.max(1, keepdims=True))
        experts = order.reshape(-1)
        ends = np.bincount(experts, minlength=len(self.block.ups)).cumsum().tolist()
        parts = [(expert, slice(*cut)) for expert, cut in enumerate(zip([0, *ends], ends)) if cut[0] < cut[1]]
        return experts.argsort(kind="stable"), parts

    def _weigh(self, picked: np.ndarray, largest: np.ndarray) -> None:
        """The weights of the chosen from their logits; NaN, as the model has it, where any expert's logit is."""
        shares = np.exp(picked - largest)
        np.divide(shares, shares.sum(-1, keepdims=True), self.weights[:, 0] if shares.ndim > 1 else self.weights[0, 0])


def _product(x: np.ndarray, layer: Folded, y: np.ndarray) -> None:
    """y = x W^T + b, now."""
    if len(x) == 1:
        np.dot(layer.weight, x[0], y[0])
    else:
        np.matmul(x, layer.weight.T, y)
    if layer.bias is not None:
        np.add(y, layer.bias, y)
