"""A mixture of experts: many MLPs, of which each token goes through a few.

A model so has many more weights than it multiplies by for any one token. Sources: Shazeer et al., "Outrageously Large
Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer", 2017; Fedus et al., "Switch Transformers", 2022; Jiang et
al., "Mixtral of Experts", 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, fused, namespace, sort_by_group, to_device, to_device_of
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.nn.layers import Dropout, Linear, Rng
from tinygrad_llm.nn.mlp import SwiGLU
from tinygrad_llm.nn.module import Module


class Routing(NamedTuple):
    """What the router of one layer said of N tokens.

    shares  (N, E), each token's probabilities of the experts.
    chosen  (N, C), the numbers of those that it went through, the likeliest first.
    """

    shares: Tensor
    chosen: Array


class Experts(Module):
    """sum_j weight_j expert_j(x) over the C experts with the largest shares p = softmax(W x).  (..., D) -> (..., D)

    weight_j = p_j / (the sum of p over the chosen), so that the weights of a token add up to 1. The shares are of all E
    experts and are normalised again after the choice, as in Mixtral. An expert is a SwiGLU through F = `hidden`; it
    multiplies the tokens that chose it and no others.

    count         E; chosen  C, at most E.
    std, out_std  standard deviations of the first weights: of all but down_proj; of down_proj, as std where None.

    Only the weights of the chosen have a gradient: which ones are chosen is no number that could have one. With C = 1
    the weight is 1, and the router learns from the balance loss alone.
    """

    def __init__(
        self,
        width: int,
        hidden: int,
        count: int,
        chosen: int,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator,
        std: float | None = None,
        out_std: float | None = None,
        dtype: Any = np.float32,
    ) -> None:
        if not 0 < chosen <= count:
            raise ArgumentError("chosen", f"1 to the {count} experts that there are", chosen)
        self.chosen = chosen
        self.router = Linear(width, count, bias=False, rng=rng, std=std, dtype=dtype)
        self.experts = [SwiGLU(width, hidden, rng=rng, std=std, out_std=out_std, dtype=dtype) for _ in range(count)]
        self.dropout = Dropout(dropout)

    def __call__(self, x: Tensor, rng: Rng | None = None, *, routed: list[Routing] | None = None) -> Tensor:
        """`routed` is a list to which this layer's Routing is added."""
        flat = x.reshape(-1, x.shape[-1])
        shares = self.shares(flat)
        chosen = _likeliest(shares.data, self.chosen)
        one_hot = Tensor.result(_is(chosen, shares).astype(shares.dtype), None, None)
        picked = (shares.reshape(len(flat), 1, shares.shape[1]) * one_hot).sum(-1)
        if routed is not None:
            routed.append(Routing(shares, chosen))
        weights = (picked / picked.sum(-1, keepdims=True)).astype(x.dtype)
        y = self._through(flat, chosen) * weights.reshape(*weights.shape, 1)
        return self.dropout(y.sum(1).reshape(*x.shape), rng)

    def shares(self, x: Tensor) -> Tensor:
        """The probabilities of the experts, in float32 at least.  (N, D) -> (N, E)"""
        return ops.softmax(_fine(self.router(x)))

    def _through(self, x: Tensor, chosen: Array) -> Tensor:
        """What each chosen expert makes of its tokens.  (N, D), (N, C) -> (N, C, D)

        The N C pairs of a token and an expert are sorted by expert, so that each has its tokens side by side, and what
        comes out is sorted back.
        """
        xp = namespace(chosen)
        pairs, starts = sort_by_group(chosen.reshape(-1), len(self.experts), x.data)
        tokens = _rows(x, pairs // self.chosen)
        y = self._in_groups(tokens, starts) if self.is_steady(x.data) else self._one_by_one(tokens, starts)
        places = xp.empty_like(pairs)
        places[pairs] = xp.arange(len(pairs), dtype=pairs.dtype)
        return _rows(y, places).reshape(*chosen.shape, x.shape[-1])

    def _one_by_one(self, x: Tensor, starts: Array) -> Tensor:
        """Expert after expert, each with its rows of x; the host has to know how many."""
        counts = np.diff(to_device(starts, "cpu")).tolist()
        parts = [expert(own) for expert, own in zip(self.experts, ops.split(x, counts, axis=0)) if len(own)]
        return ops.concat(parts or [x], axis=0)  # of no tokens nothing is made

    def _in_groups(self, x: Tensor, starts: Array) -> Tensor:
        """The same by two products over all experts, which nobody has to wait for."""
        widened = [layer.weight for expert in self.experts for layer in (expert.gate_proj, expert.up_proj)]
        both, hidden = ops.grouped_linear(x, *widened, starts=starts), widened[0].shape[0]
        h = ops.swiglu(both[:, :hidden], both[:, hidden:])
        return ops.grouped_linear(h, *[expert.down_proj.weight for expert in self.experts], starts=starts)

    def is_steady(self, x: Array) -> bool:
        """Whether the work for x is the same whoever is chosen: with kernels, where every expert is as it was made."""
        if fused(x) is None:
            return False
        layers = [layer for e in self.experts for layer in (e.gate_proj, e.up_proj, e.down_proj)]
        return all(type(m) is SwiGLU for m in self.experts) and all(
            type(m) is Linear and m.bias is None for m in layers
        )


def _likeliest(shares: Array, count: int) -> Array:
    """The numbers of the largest shares of each row, in order; of equals the first.  (N, E) -> (N, count)

    A pass over the row for each: for a few, a GPU has nothing to sort.
    """
    xp, left, found = namespace(shares), shares, []
    numbers = xp.arange(shares.shape[1])
    for _ in range(count):
        found.append(left.argmax(1))
        left = xp.where(numbers == found[-1][:, None], -xp.ones_like(left), left)
    return xp.stack(found, 1)


def _is(chosen: Array, shares: Tensor) -> Array:
    """Whether the c-th choice of token n was expert e.  (N, C) -> (N, C, E) booleans"""
    return chosen[:, :, None] == namespace(chosen).arange(shares.shape[1])


def _fine(x: Tensor) -> Tensor:
    """In float32 where it is coarser."""
    return x if x.dtype.itemsize >= 4 else x.astype("float32")


def _rows(x: Tensor, places: Array) -> Tensor:
    """Rows of x, (N, D), (M,) -> (M, D); the gradients of a row that stands several times are added up finely."""
    return ops.embedding(_fine(x), places).astype(x.dtype)


def balance_loss(routed: Sequence[Routing]) -> Tensor:
    """E sum_e f_e P_e: how unevenly the experts are used.  -> ()

    f_e is the number of choices of expert e a token, so that all f add up to C; P_e the mean share of e; both over all
    tokens of all layers. It is C where all are used alike, and E C / E' where only E' of them are. The gradient flows
    through P: an expert that is chosen often loses share. Source: Fedus et al., 2022, equations 4 to 6, where C = 1 and
    each layer is counted by itself; over all layers at once as transformers' Mixtral has it.
    """
    tokens = sum(len(r.chosen) for r in routed)
    if not tokens:
        raise ArgumentError("routed", "at least one layer that routed a token", routed)
    count = routed[0].shares.shape[1]
    shares = sum((r.shares.sum(0) for r in routed[1:]), routed[0].shares.sum(0))
    chosen: Any = sum(_is(r.chosen, r.shares).sum((0, 1)) for r in routed)
    used = to_device_of(chosen / tokens, shares.data).astype(shares.dtype)
    return (shares * Tensor.result(used, None, None)).sum() * (count / tokens)
