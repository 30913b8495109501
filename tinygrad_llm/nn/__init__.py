"""Layers, and the tree that they form."""

from tinygrad_llm.nn.attention import Attention
from tinygrad_llm.nn.block import PostNormBlock, TransformerBlock
from tinygrad_llm.nn.cache import Cache, CrossCache, KVCache, LayerCache, StateCache
from tinygrad_llm.nn.experts import Experts, Routing, balance_loss
from tinygrad_llm.nn.layers import Dropout, Embedding, LayerNorm, Linear, RMSNorm, Rng
from tinygrad_llm.nn.mlp import ACTIVATIONS, MLP, SwiGLU
from tinygrad_llm.nn.module import Buffer, Module, Parameter
from tinygrad_llm.nn.patch import PatchEmbedding
from tinygrad_llm.nn.position import alibi_bias, alibi_slopes, rotate, sinusoidal_table
from tinygrad_llm.nn.recurrent import GRU, LSTM, RNN
from tinygrad_llm.nn.replace import replace
from tinygrad_llm.nn.rope_scaling import DynamicScaling, LinearScaling, Llama3Scaling, RopeScaling, YaRN

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
    "DynamicScaling",
    "Embedding",
    "Experts",
    "KVCache",
    "LayerCache",
    "LayerNorm",
    "Linear",
    "LinearScaling",
    "Llama3Scaling",
    "Module",
    "Parameter",
    "PatchEmbedding",
    "PostNormBlock",
    "RMSNorm",
    "Rng",
    "RopeScaling",
    "Routing",
    "StateCache",
    "SwiGLU",
    "TransformerBlock",
    "YaRN",
    "alibi_bias",
    "alibi_slopes",
    "balance_loss",
    "replace",
    "rotate",
    "sinusoidal_table",
]
