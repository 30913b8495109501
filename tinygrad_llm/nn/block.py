"""One layer of a transformer."""

from __future__ import annotations

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.nn.attention import CausalSelfAttention
from tinygrad_llm.nn.layers import LayerNorm, RMSNorm, Rng
from tinygrad_llm.nn.mlp import MLP, SwiGLU
from tinygrad_llm.nn.module import Module


class TransformerBlock(Module):
    """x + attention(norm(x)), then x + mlp(norm(x)): two corrections to a stream that flows straight through.

    The norms stand inside the branches (pre-norm), so that the gradient has a path that nothing scales.
    Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.3.
    """

    def __init__(
        self, ln_1: LayerNorm | RMSNorm, attn: CausalSelfAttention, ln_2: LayerNorm | RMSNorm, mlp: MLP | SwiGLU
    ) -> None:
        self.ln_1, self.attn, self.ln_2, self.mlp = ln_1, attn, ln_2, mlp

    def __call__(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        x = x + self.attn(self.ln_1(x), rng)
        return x + self.mlp(self.ln_2(x), rng)
