"""Models in Hugging Face's layout: a folder with config.json and model.safetensors, one table an architecture.

A model trained here opens there, and theirs opens here. What a table cannot say is refused by its name, both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.models.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.models.layout import Layout, Size, Stored, read_arrays, read_config, write_arrays, write_config
from tinygrad_llm.models.weights import load_json, load_weights, save_model, weights_file
from tinygrad_llm.nn import Module

DECODING = set(
    """
    max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k top_p
    typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids
    num_return_sequences output_scores return_dict_in_generate forced_bos_token_id forced_eos_token_id
    force_bos_token_to_be_generated remove_invalid_values exponential_decay_length_penalty suppress_tokens
    begin_suppress_tokens task_specific_params prefix use_cache bos_token_id eos_token_id pad_token_id sep_token_id
""".split()
)
"""Keys of old files about how a text is drawn, which is not the model's business."""
HARMLESS = DECODING | set(
    """
    architectures dtype torch_dtype transformers_version _name_or_path _commit_hash _num_labels tokenizer_class
    finetuning_task id2label label2id problem_type return_dict output_hidden_states output_attentions output_past
    chunk_size_feed_forward gradient_checkpointing torchscript use_bfloat16 initializer_range
    _attn_implementation _attn_implementation_autoset classifier_dropout
""".split()
)
NEVER: dict[str, tuple] = {
    "add_cross_attention": (False,), "cross_attention_hidden_size": (None,), "pruned_heads": ({}, None),
    "is_decoder": (False,), "tie_encoder_decoder": (False,),
}  # fmt: skip
"""What no model here does."""

GPT2 = Layout(
    "gpt2", "GPT2LMHeadModel", GPT, GPTConfig,
    sizes={
        "vocab_size": Size("vocab_size", "transformer.wte.weight"),
        "block_size": Size("n_positions", "transformer.wpe.weight"),
        "n_layer": Size("n_layer", "transformer.h.*.ln_1.weight", stack="blocks"),
        "n_head": Size("n_head"),
        "n_embd": Size("n_embd", "transformer.wte.weight", axis=1),
    },
    tensors={
        "token_embedding": "transformer.wte",
        "position_embedding": "transformer.wpe",
        "blocks.*.norm_1": "transformer.h.*.ln_1",
        "blocks.*.attention.{q_proj,k_proj,v_proj}": Stored("transformer.h.*.attn.c_attn", transposed=True),
        "blocks.*.attention.o_proj": Stored("transformer.h.*.attn.c_proj", transposed=True),
        "blocks.*.norm_2": "transformer.h.*.ln_2",
        "blocks.*.mlp.up_proj": Stored("transformer.h.*.mlp.c_fc", transposed=True),
        "blocks.*.mlp.down_proj": Stored("transformer.h.*.mlp.c_proj", transposed=True),
        "norm": "transformer.ln_f",
        "output": "lm_head",
    },
    options={"tied": ("tie_word_embeddings", True), "bias": ("bias", True), "dropout": ("resid_pdrop", 0.1)},
    fixed={
        "activation_function": ("gelu_new", "gelu_pytorch_tanh"), "layer_norm_epsilon": (1e-5,),
        "n_inner": lambda c: (None, 4 * c.n_embd), "scale_attn_weights": (True,),
        "scale_attn_by_inverse_layer_idx": (False,), "add_cross_attention": (False,),
    },
    assumed=NEVER | {"is_encoder_decoder": (False,)},
    harmless=HARMLESS | {
        "n_ctx", "reorder_and_upcast_attn", "summary_type", "summary_use_proj", "summary_activation",
        "summary_proj_to_labels", "summary_first_dropout",
    },
    written={
        "embd_pdrop": lambda c: c.dropout, "attn_pdrop": lambda c: c.dropout,
        "bos_token_id": None, "eos_token_id": None,
    },
    prefix="transformer.",
    copies={"lm_head.weight": "transformer.wte.weight"},
    ignored=("transformer.h.*.attn.bias", "transformer.h.*.attn.masked_bias"),  # old files hold the causal mask itself
    zeros="bias",
)  # fmt: skip

BART = Layout(
    "bart", "BartForConditionalGeneration", EncoderDecoder, EncoderDecoderConfig,
    sizes={
        "vocab_size": Size("vocab_size", "model.shared.weight"),
        "block_size": Size("max_position_embeddings", "model.encoder.embed_positions.weight", extra=2),
        "n_encoder_layer": Size("encoder_layers", "model.encoder.layers.*.fc1.weight", stack="encoder.blocks"),
        "n_decoder_layer": Size("decoder_layers", "model.decoder.layers.*.fc1.weight", stack="decoder.blocks"),
        "n_head": Size("encoder_attention_heads", same=("decoder_attention_heads",)),
        "n_embd": Size("d_model", "model.shared.weight", axis=1),
        "n_hidden": Size("encoder_ffn_dim", "model.encoder.layers.0.fc1.weight", same=("decoder_ffn_dim",)),
    },
    tensors={"token_embedding": "model.shared", "logits_bias": "final_logits_bias"} | {
        f"{half}.{ours}": Stored(f"model.{half}.{theirs}", unread=2 * (ours == "position_embedding"))
        for half in ("encoder", "decoder")
        for ours, theirs in {
            "position_embedding": "embed_positions",  # two rows first, a leftover of fairseq's numbering
            "embedding_norm": "layernorm_embedding",
            "blocks.*.self_attention.o_proj": "layers.*.self_attn.out_proj",
            "blocks.*.self_attention.*": "layers.*.self_attn.*",
            "blocks.*.self_attention_norm": "layers.*.self_attn_layer_norm",
            "blocks.*.cross_attention.o_proj": "layers.*.encoder_attn.out_proj",
            "blocks.*.cross_attention.*": "layers.*.encoder_attn.*",
            "blocks.*.cross_attention_norm": "layers.*.encoder_attn_layer_norm",
            "blocks.*.mlp.up_proj": "layers.*.fc1",
            "blocks.*.mlp.down_proj": "layers.*.fc2",
            "blocks.*.mlp_norm": "layers.*.final_layer_norm",
        }.items()
    },
    options={
        "activation": ("activation_function", "gelu"), "scale_embedding": ("scale_embedding", False),
        "init_std": ("init_std", 0.02), "pad_id": ("pad_token_id", 1), "start_id": ("decoder_start_token_id", 2),
        "end_id": ("eos_token_id", 2), "dropout": ("dropout", 0.1),
    },
    fixed={"is_encoder_decoder": (True,), "tie_word_embeddings": (True,)},
    assumed=NEVER | {
        "num_hidden_layers": lambda c: (c.n_encoder_layer,),
        "normalize_before": (False,), "normalize_embedding": (True,), "add_final_layer_norm": (False,),
        "add_bias_logits": (False,), "static_position_embeddings": (False,), "extra_pos_embeddings": (2,),
    },
    harmless=HARMLESS | {"encoder_layerdrop", "decoder_layerdrop", "classif_dropout", "replacing_rate",
                         "student_encoder_layers", "student_decoder_layers"},
    written={
        "attention_dropout": lambda c: c.dropout, "activation_dropout": lambda c: c.dropout,
        "bos_token_id": lambda c: c.start_id, "forced_eos_token_id": None,
    },
    prefix="model.",
    copies=dict.fromkeys(
        ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"),
        "model.shared.weight"),
    optional=("final_logits_bias",),
)  # fmt: skip

LAYOUTS = (GPT2, BART)


def to_hugging_face(model: Module) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """config.json's content, and the arrays by Hugging Face's names.

    Raises CheckpointError for a model of no table's class, and for one whose layers are not those of its configuration.
    """
    for layout in LAYOUTS:
        if type(model) is layout.model:
            arrays = write_arrays(layout, model)
            dtype = next(iter(arrays.values())).dtype
            return write_config(layout, vars(model)["config"], dtype), arrays
    known = ", ".join(layout.model.__name__ for layout in LAYOUTS)
    raise CheckpointError("model", f"one of {known}", type(model).__name__, "It has no layout there.")


def from_hugging_face(config: Mapping[str, Any], arrays: Mapping[str, np.ndarray], dtype: Any = np.float32) -> Any:
    """The model that config.json's content says, with these arrays.

    Raises CheckpointError for an architecture that has no table, for whatever in it is not supported, and for tensors
    that are missing, left over, or of another shape.
    """
    return read_arrays(*_understood(config, "config.json"), arrays, dtype)


def save_pretrained(model: Module, path: str | Path) -> None:
    """Writes config.json and model.safetensors into the folder `path`.

    Raises CheckpointError as `to_hugging_face`, and StorageError where the disk refuses.
    """
    save_model(path, *to_hugging_face(model))


def from_pretrained(path: str | Path, dtype: Any = np.float32) -> Any:
    """The model in the folder `path`, of the class that its config.json names, in float32 or float64.

    Its weights may be float16 or bfloat16, in one file or in several with an index. Raises CheckpointError where it is
    not whole, or of an architecture that is not here.
    """
    weights = weights_file(path)
    layout, config = _understood(load_json(Path(path) / "config.json"), str(Path(path) / "config.json"))
    return read_arrays(layout, config, load_weights(weights), dtype)


def _understood(config: Mapping[str, Any], name: str) -> tuple[Layout, Any]:
    """The table of a configuration's architecture, and our configuration."""
    for layout in LAYOUTS:
        if config.get("model_type") == layout.model_type:
            return layout, read_config(layout, config, name)
    known = ", ".join(layout.model_type for layout in LAYOUTS)
    raise CheckpointError(f"{name} model_type", f"one of {known}", repr(config.get("model_type")), "No table has it.")
