"""Layers, and the tree that they form."""

from tinygrad_llm.nn.attention import Attention
from tinygrad_llm.nn.block import PostNormBlock, TransformerBlock
from tinygrad_llm.nn.cache import Cache, CrossCache, KVCache, LayerCache, StateCache
from tinygrad_llm.nn.layers import Dropout, Embedding, LayerNorm, Linear, RMSNorm, Rng
from tinygrad_llm.nn.mlp import ACTIVATIONS, MLP, SwiGLU
from tinygrad_llm.nn.module import Buffer, Module, Parameter
from tinygrad_llm.nn.patch import PatchEmbedding
from tinygrad_llm.nn.position import alibi_bias, alibi_slopes, rotate, sinusoidal_table
from tinygrad_llm.nn.recurrent import GRU, LSTM, RNN
from tinygrad_llm.nn.replace import replace

__all__ = [
    "ACTIVATIONS",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "Attention",
    "Buffer",
    "Cache",
    "CrossCache",
    "Dropout",
    "Embedding",
    "KVCache",
    "LayerCache",
    "LayerNorm",
    "Linear",
    "Module",
    "Parameter",
    "PatchEmbedding",
    "PostNormBlock",
    "RMSNorm",
    "Rng",
    "StateCache",
    "SwiGLU",
    "TransformerBlock",
    "alibi_bias",
    "alibi_slopes",
    "replace",
    "rotate",
    "sinusoidal_table",
]
