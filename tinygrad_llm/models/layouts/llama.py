"""Llama and its kin: one decoder, a table for each of the names under which its files come.

Sources: Touvron et al., 2023; Jiang et al., 2023 and 2024; Yang et al., 2024 and 2025; transformers' modeling_llama,
_mistral, _qwen2, _qwen3, _mixtral.
"""

from __future__ import annotations

from types import NoneType
from typing import Any

from tinygrad_llm.models.layout import Layout, Option, Size
from tinygrad_llm.models.layouts.common import HARMLESS, NEVER
from tinygrad_llm.models.layouts.rope import longest_there, read_scaling, with_rope, write_scaling
from tinygrad_llm.models.llama import Llama, LlamaConfig

ATTENTION = {
    "blocks.*.norm_1": "model.layers.*.input_layernorm",
    "blocks.*.attention.*": "model.layers.*.self_attn.*",  # the same names there
    "blocks.*.norm_2": "model.layers.*.post_attention_layernorm",
}
MOE = "model.layers.*.block_sparse_moe"
EXPERTS = {"blocks.*.mlp.router": f"{MOE}.gate"} | {
    f"blocks.*.mlp.experts.*.{ours}_proj": f"{MOE}.experts.*.{theirs}"
    for ours, theirs in {"gate": "w1", "up": "w3", "down": "w2"}.items()
}
FIRST = "model.layers.0.self_attn"
FIRST_EXPERTS = f"{MOE.replace('*', '0')}.experts"
NULLABLE = (NoneType, int)
DENSE = {"n_experts": 0, "experts_per_token": 0, "balance": 0.0}
NO_BIASES = {"qkv_bias": False, "out_bias": False, "mlp_bias": False}
WHOLE, WINDOWED = "full_attention", "sliding_attention"
NO_WINDOW = {"window": None, "window_from": 0}


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


def with_balance(said: dict[str, Any]) -> dict[str, Any]:
    """There the balance loss counts where `output_router_logits` says so."""
    said = with_rope(said)
    coefficient = said.setdefault("router_aux_loss_coef", 0.001)
    if not said.setdefault("output_router_logits", False):
        said["router_aux_loss_coef"] = 0.0
    return said | {"output_router_logits": bool(coefficient) and said["output_router_logits"]}


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
        } | others.pop("sizes", {"n_hidden": Size("intermediate_size", "model.layers.0.mlp.gate_proj.weight")}),
        tensors={"token_embedding": "model.embed_tokens", "norm": "model.norm", "output": "lm_head"} | ATTENTION
        | others.pop("tensors", {"blocks.*.mlp.*": "model.layers.*.mlp.*"}),
        options={
            "n_kv_head": Option("num_key_value_heads", None, kinds=NULLABLE),
            "head_size": Option("head_dim", None, kinds=NULLABLE),
            "rope_base": Option("rope_theta", 10_000.0),
            "rope_scaling": Option("rope_scaling", None, read_scaling, write_scaling, kinds=(NoneType, dict)),
            "norm_eps": Option("rms_norm_eps", 1e-6),
            "tied": Option("tie_word_embeddings", False), "dropout": Option("attention_dropout", 0.0),
            "init_std": Option("initializer_range", 0.02),
        } | options,
        given=given,
        normal=others.pop("normal", with_rope),
        fixed={"hidden_act": ("silu", "swish")} | others.pop("fixed", {}),
        assumed=NEVER | {"is_encoder_decoder": (False,)},
        harmless=HARMLESS | {"pretraining_tp"},
        written={
            "bos_token_id": None, "eos_token_id": None, "max_position_embeddings": longest_there,
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
        given=DENSE | NO_WINDOW | {"out_bias": None, "qk_norm": False},
    ),
    _layout(
        "mistral", "MistralForCausalLM",
        options={"n_kv_head": EIGHT, "window": Option("sliding_window", 4096, kinds=NULLABLE)},
        given=DENSE | NO_BIASES | {"window_from": 0, "qk_norm": False},
    ),
    _layout(
        "qwen2", "Qwen2ForCausalLM",
        options={"n_kv_head": Option("num_key_value_heads", 32, kinds=NULLABLE)} | QWENS_WINDOW,
        given=DENSE | {"qkv_bias": True, "out_bias": False, "mlp_bias": False, "qk_norm": False},
        **QWENS,
    ),
    _layout(
        "qwen3", "Qwen3ForCausalLM",
        options={
            "n_kv_head": Option("num_key_value_heads", 32, kinds=NULLABLE),
            "head_size": Option("head_dim", 128, kinds=NULLABLE), "qkv_bias": Option("attention_bias", False),
        } | QWENS_WINDOW,
        given=DENSE | {"out_bias": None, "mlp_bias": False, "qk_norm": True},
        **QWENS,
    ),
    _layout(
        "mixtral", "MixtralForCausalLM",
        options={
            "n_kv_head": EIGHT, "window": Option("sliding_window", None, kinds=NULLABLE),
            "rope_base": Option("rope_theta", 1e6), "norm_eps": Option("rms_norm_eps", 1e-5),
            "experts_per_token": Option("num_experts_per_tok", 2), "balance": Option("router_aux_loss_coef", 0.001),
        },
        given=NO_BIASES | {"window_from": 0, "qk_norm": False},
        sizes={
            "n_hidden": Size("intermediate_size", f"{FIRST_EXPERTS}.0.w1.weight"),
            "n_experts": Size("num_local_experts", f"{FIRST_EXPERTS}.*.w1.weight"),
        },
        tensors=EXPERTS,
        normal=with_balance,
        fixed={"output_router_logits": lambda c: (c.balance > 0,), "router_jitter_noise": (0.0,)},
    ),
)  # fmt: skip
