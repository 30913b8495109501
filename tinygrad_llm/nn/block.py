"""One layer of a transformer, in the two orders in which the literature has it."""

from __future__ import annotations

from typing import Any

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.nn.attention import Attention
from tinygrad_llm.nn.experts import Experts, Routing
from tinygrad_llm.nn.layers import LayerNorm, RMSNorm, Rng
from tinygrad_llm.nn.mlp import MLP, SwiGLU
from tinygrad_llm.nn.module import Module

Norm = LayerNorm | RMSNorm


class TransformerBlock(Module):
    """x + attention(norm_1(x)), then x + mlp(norm_2(x)).  (B, T, D) -> (B, T, D)

    The norms stand inside the branches (pre-norm), so that the gradient has a path through all layers that nothing
    scales. Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.3.
    """

    def __init__(self, norm_1: Norm, attention: Attention, norm_2: Norm, mlp: MLP | SwiGLU | Experts) -> None:
        self.norm_1, self.attention, self.norm_2, self.mlp = norm_1, attention, norm_2, mlp

    def __call__(
        self, x: Tensor, rng: Rng | None = None, *, routed: list[Routing] | None = None, **options: Any
    ) -> Tensor:
        """`routed` is that of Experts, `options` (mask, lengths, positions, cache) are those of Attention."""
        x = x + self.attention(self.norm_1(x), rng=rng, **options)
        noted = {"routed": routed} if isinstance(self.mlp, Experts) else {}
        return x + self.mlp(self.norm_2(x), rng, **noted)


class PostNormBlock(Module):
    """x = norm(x + part(x)) for each part: self-attention, cross-attention where there is one, MLP.

    The order of the original transformer, of BERT and of BART. Source: Vaswani et al., 2017, section 3.1.
    """

    def __init__(
        self,
        self_attention: Attention,
        self_attention_norm: Norm,
        mlp: MLP,
        mlp_norm: Norm,
        cross_attention: Attention | None = None,
        cross_attention_norm: Norm | None = None,
    ) -> None:
        self.self_attention, self.self_attention_norm = self_attention, self_attention_norm
        self.cross_attention, self.cross_attention_norm = cross_attention, cross_attention_norm
        self.mlp, self.mlp_norm = mlp, mlp_norm

    def __call__(
        self,
        x: Tensor,
        rng: Rng | None = None,
        *,
        memory: Tensor | None = None,
        memory_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> Tensor:
        """`options` (mask, lengths, cache) are the self-attention's, `memory_options` the cross-attention's to
        `memory` (B, S, D)."""
        x = self.self_attention_norm(x + self.self_attention(x, rng=rng, **options))
        if self.cross_attention is not None and self.cross_attention_norm is not None:
            crossed = self.cross_attention(x, memory, rng=rng, **(memory_options or {}))
            x = self.cross_attention_norm(x + crossed)
        return self.mlp_norm(x + self.mlp(x, rng))
