"""Layers, and the tree that they form."""

from tinygrad_llm.nn.attention import CausalSelfAttention, MultiHeadAttention
from tinygrad_llm.nn.block import TransformerBlock
from tinygrad_llm.nn.layers import Dropout, Embedding, LayerNorm, Linear, RMSNorm, Rng
from tinygrad_llm.nn.mlp import MLP, SwiGLU
from tinygrad_llm.nn.module import Module, Parameter, replace
from tinygrad_llm.nn.position import alibi_bias, alibi_slopes, sinusoidal_table
from tinygrad_llm.nn.recurrent import GRU, LSTM, RNN

__all__ = [
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "CausalSelfAttention",
    "Dropout",
    "Embedding",
    "LayerNorm",
    "Linear",
    "Module",
    "MultiHeadAttention",
    "Parameter",
    "RMSNorm",
    "Rng",
    "SwiGLU",
    "TransformerBlock",
    "alibi_bias",
    "alibi_slopes",
    "replace",
    "sinusoidal_table",
]
