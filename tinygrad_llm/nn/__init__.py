"""Layers, and the tree that they form."""

from tinygrad_llm.nn.attention import CausalSelfAttention
from tinygrad_llm.nn.block import TransformerBlock
from tinygrad_llm.nn.layers import Dropout, Embedding, LayerNorm, Linear, RMSNorm, Rng
from tinygrad_llm.nn.mlp import MLP, SwiGLU
from tinygrad_llm.nn.module import Module, Parameter

__all__ = [
    "MLP",
    "CausalSelfAttention",
    "Dropout",
    "Embedding",
    "LayerNorm",
    "Linear",
    "Module",
    "Parameter",
    "RMSNorm",
    "Rng",
    "SwiGLU",
    "TransformerBlock",
]
