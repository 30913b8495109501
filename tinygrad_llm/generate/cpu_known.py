"""Which models the CPU's decoding step computes: those of parts that it knows, put together as it knows them.

A wrapped or replaced part is of another class, and the model then has no such step.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from tinygrad_llm.generate.cpu_weights import size_of
from tinygrad_llm.models.gpt import GPT
from tinygrad_llm.models.llama import Llama
from tinygrad_llm.nn import (
    MLP,
    Attention,
    Embedding,
    Experts,
    LayerNorm,
    Linear,
    RMSNorm,
    SwiGLU,
    TransformerBlock,
)  # fmt: skip

LARGEST = 1 << 24
"""Weights a token beyond which their own reading takes so long that the calls around it do not matter."""
LARGEST_COPY = 1 << 26
"""Weights, chosen experts or not, beyond which it does not pay to copy them for a text."""

NORMS, DTYPES = (LayerNorm, RMSNorm), ("float32", "float64")


def can_be_folded(model: Any) -> bool:
    """Whether it is a GPT or a Llama on the CPU, in float32 or float64, not too large, and of known parts.

    All norms are of one kind, since a LayerNorm wants the stream without its mean and an RMSNorm with it, and all
    layers of attention are of one shape.
    """
    if type(model) not in (GPT, Llama) or model.device != "cpu" or not _are(Embedding, *_tables(model)):
        return False
    if type(model.norm) not in NORMS or model.token_embedding.weight.dtype.name not in DTYPES or not model.blocks:
        return False
    known = all(_is_known(block, type(model.norm)) for block in model.blocks)
    if not known or len({_shape(block.attention) for block in model.blocks}) > 1:
        return False
    return size_of(model, chosen=True) <= LARGEST and size_of(model) <= LARGEST_COPY


def _tables(model: Any) -> list[Any]:
    return [model.token_embedding] + ([model.position_embedding] if type(model) is GPT else [])


def _is_known(block: Any, norm: type) -> bool:
    if type(block) is not TransformerBlock or not _are(norm, block.norm_1, block.norm_2):
        return False
    return _attention_is_known(block.attention) and _mlp_is_known(block.mlp)


def _attention_is_known(layer: Any) -> bool:
    if type(layer) is not Attention or not layer.causal or layer.softcap is not None:
        return False
    if layer.value_size != layer.head_size or not _are_alike(layer.q_proj, layer.k_proj, layer.v_proj):
        return False
    norms = layer.q_norm is layer.k_norm is None or _are(RMSNorm, layer.q_norm, layer.k_norm)
    return norms and _are(Linear, layer.o_proj)


def _mlp_is_known(mlp: Any) -> bool:
    if type(mlp) is Experts:
        known = _are(Linear, mlp.router) and all(type(e) is SwiGLU and _mlp_is_known(e) for e in mlp.experts)
        return known and len({expert.down_proj.weight.shape for expert in mlp.experts}) == 1
    if type(mlp) is MLP:
        return mlp.activation == "gelu_new" and _are(Linear, mlp.up_proj, mlp.down_proj)
    return type(mlp) is SwiGLU and _are_alike(mlp.gate_proj, mlp.up_proj) and _are(Linear, mlp.down_proj)


def _shape(layer: Attention) -> Hashable:
    """What all layers have in common."""
    return layer.n_head, layer.n_kv_head, layer.head_size, layer.rope_base, layer.rope_scaling


def _are(kind: type, *parts: Any) -> bool:
    return all(type(part) is kind for part in parts)


def _are_alike(*layers: Any) -> bool:
    """Whether they are linear layers, all with a bias or none."""
    return _are(Linear, *layers) and len({layer.bias is None for layer in layers}) == 1
