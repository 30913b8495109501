"""Llama and its kin: one decoder, a table for each of the names under which its files come.

Sources: Touvron et al., 2023; Jiang et al., 2023; Yang et al., 2024 and 2025; transformers' modeling_llama, _mistral,
_qwen2, _qwen3.
"""

from __future__ import annotations

from types import NoneType
from typing import Any

from tinygrad_llm.models.layout import Layout, Option, Size
from tinygrad_llm.models.layouts.common import HARMLESS, NEVER
from tinygrad_llm.models.llama import Llama, LlamaConfig

ATTENTION = {
    "blocks.*.norm_1": "model.layers.*.input_layernorm",
    "blocks.*.attention.*": "model.layers.*.self_attn.*",  # the same names there
    "blocks.*.norm_2": "model.layers.*.post_attention_layernorm",
}
MLP = {"blocks.*.mlp.*": "model.layers.*.mlp.*"}
FIRST = "model.layers.0.self_attn"
UPPER = "model.layers.0.mlp.gate_proj.weight"
NULLABLE = (NoneType, int)
NO_BIASES = {"qkv_bias": False, "out_bias": False, "mlp_bias": False}
WHOLE, WINDOWED = "full_attention", "sliding_attention"
NO_WINDOW = {"window": None, "window_from": 0}


def with_rope(said: dict[str, Any]) -> dict[str, Any]:
    """transformers 5 says `rope_parameters`, earlier ones `rope_theta` and `rope_scaling`: those are read here."""
    if (new := said.pop("rope_parameters", None)) is not None:
        said["rope_theta"] = new.get("rope_theta", said.get("rope_theta"))
        if said["rope_theta"] is None:
            del said["rope_theta"]
        if said.get("rope_scaling") not in (None, new):
            raise ValueError("rope_scaling and rope_parameters say different things.")
        said["rope_scaling"] = {key: value for key, value in new.items() if key != "rope_theta"}
    scaling = said.get("rope_scaling")
    if scaling is not None and scaling.get("rope_type", scaling.get("type")) == "default" and len(scaling) == 1:
        said["rope_scaling"] = None
    return said


def with_window(said: dict[str, Any]) -> dict[str, Any]:
    """Qwen's window is there where `use_sliding_window` says so, from layer `max_window_layers` on; transformers 5 says
    it once more, layer by layer."""
    said = with_rope(said)
    kinds, windowed = said.pop("layer_types", None), said.setdefault("use_sliding_window", False)
    if not windowed or said.get("sliding_window", 0) is None:
        said |= {"use_sliding_window": False, "sliding_window": None, "max_window_layers": 0}
    if kinds is not None:
        count = len(kinds)
        first = kinds.index(WINDOWED) if WINDOWED in kinds else max(count, said.get("max_window_layers", 28))
        if kinds != ([WHOLE] * min(first, count) + [WINDOWED] * (count - first)) or count != said["num_hidden_layers"]:
            raise ValueError(f"layer_types: only {WHOLE} and then only {WINDOWED}, one a layer.")
        if said["use_sliding_window"]:
            said["max_window_layers"] = first
        elif WINDOWED in kinds:
            raise ValueError("layer_types: a window that use_sliding_window denies.")
    return said


def _layer_types(c: LlamaConfig) -> list[str]:
    return [WHOLE if c.window_of(layer) is None else WINDOWED for layer in range(c.n_layer)]


def _layout(
    model_type: str, architecture: str, *, options: dict[str, Option], given: dict[str, Any], **others: Any
) -> Layout:
    """The table of one of them: what all have, and its own."""
    words = "model.embed_tokens.weight"
    return Layout(
        model_type, architecture, Llama, LlamaConfig,
        sizes={
            "vocab_size": Size("vocab_size", words),
            "block_size": Size("max_position_embeddings"),
            "n_layer": Size("num_hidden_layers", "model.layers.*.input_layernorm.weight", stack="blocks"),
            "n_head": Size("num_attention_heads"),
            "n_embd": Size("hidden_size", words, axis=1),
            "n_hidden": Size("intermediate_size", UPPER),
        },
        tensors={"token_embedding": "model.embed_tokens", "norm": "model.norm", "output": "lm_head"} | ATTENTION | MLP,
        options={
            "n_kv_head": Option("num_key_value_heads", None, kinds=NULLABLE),
            "head_size": Option("head_dim", None, kinds=NULLABLE),
            "rope_base": Option("rope_theta", 10_000.0), "norm_eps": Option("rms_norm_eps", 1e-6),
            "tied": Option("tie_word_embeddings", False), "dropout": Option("attention_dropout", 0.0),
            "init_std": Option("initializer_range", 0.02),
        } | options,
        given=given,
        normal=others.pop("normal", with_rope),
        fixed={"hidden_act": ("silu", "swish")} | others.pop("fixed", {}),
        assumed=NEVER | {"is_encoder_decoder": (False,), "rope_scaling": (None,)},
        harmless=HARMLESS | {"pretraining_tp"},
        written={
            "bos_token_id": None, "eos_token_id": None,
            "num_key_value_heads": lambda c: c.groups, "head_dim": lambda c: c.key_size,
        } | others.pop("written", {}),
        products={f"{FIRST}.q_proj.weight": ("n_head", "key_size"), f"{FIRST}.k_proj.weight": ("groups", "key_size")},
        prefix="model.",
        copies={"lm_head.weight": words},
        ignored=("model.layers.*.self_attn.rotary_emb.inv_freq",),  # old files hold the frequencies
        **others,
    )  # fmt: skip


QWENS: dict[str, Any] = {
    "normal": with_window,
    "fixed": {"use_sliding_window": lambda c: (c.window is not None,)},
    "written": {"layer_types": _layer_types},
}
QWENS_WINDOW = {
    "window": Option("sliding_window", 4096, kinds=NULLABLE), "window_from": Option("max_window_layers", 28),
}  # fmt: skip
EIGHT = Option("num_key_value_heads", 8, kinds=NULLABLE)

LLAMAS = (
    _layout(
        "llama", "LlamaForCausalLM",
        options={"qkv_bias": Option("attention_bias", False), "mlp_bias": Option("mlp_bias", False)},
        given=NO_WINDOW | {"out_bias": None, "qk_norm": False},
    ),
    _layout(
        "mistral", "MistralForCausalLM",
        options={"n_kv_head": EIGHT, "window": Option("sliding_window", 4096, kinds=NULLABLE)},
        given=NO_BIASES | {"window_from": 0, "qk_norm": False},
    ),
    _layout(
        "qwen2", "Qwen2ForCausalLM",
        options={"n_kv_head": Option("num_key_value_heads", 32, kinds=NULLABLE)} | QWENS_WINDOW,
        given={"qkv_bias": True, "out_bias": False, "mlp_bias": False, "qk_norm": False},
        **QWENS,
    ),
    _layout(
        "qwen3", "Qwen3ForCausalLM",
        options={
            "n_kv_head": Option("num_key_value_heads", 32, kinds=NULLABLE),
            "head_size": Option("head_dim", 128, kinds=NULLABLE), "qkv_bias": Option("attention_bias", False),
        } | QWENS_WINDOW,
        given={"out_bias": None, "mlp_bias": False, "qk_norm": True},
        **QWENS,
    ),
)  # fmt: skip
