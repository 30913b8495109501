"""BART in Hugging Face's layout: a folder with config.json and model.safetensors.

A model trained here opens there, and theirs opens here. The names are the same but for a leading `model.`. Their
one table of words may stand in a file under four names; then all must be equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.errors import CheckpointError, ConfigError
from tinygrad_llm.models.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from tinygrad_llm.models.weights import load_json, load_weights, save_model

PREFIX, BIAS, TABLE = "model.", "final_logits_bias", "shared.weight"
TWINS = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight")
"""Other names of the table of words."""
EXACT = {"is_encoder_decoder": True, "tie_word_embeddings": True}
"""What this model is; a file that says otherwise is another one. Absent means this."""
SIZES = {
    "vocab_size": "vocab_size", "block_size": "max_position_embeddings", "n_encoder_layer": "encoder_layers",
    "n_decoder_layer": "decoder_layers", "n_head": "encoder_attention_heads", "n_embd": "d_model",
    "n_hidden": "encoder_ffn_dim",
}  # fmt: skip
BOTH = {"encoder_attention_heads": "decoder_attention_heads", "encoder_ffn_dim": "decoder_ffn_dim"}
"""Sizes that our two halves share."""
RATES = {"dropout": 0.1, "attention_dropout": 0.0, "activation_dropout": 0.0}
IDS = {"pad_id": ("pad_token_id", 1), "start_id": ("decoder_start_token_id", 2), "end_id": ("eos_token_id", 2)}
"""Names and defaults there."""
ANOTHER = "This is another architecture."


def to_hugging_face(model: EncoderDecoder) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """config.json's content and the arrays by Hugging Face's names."""
    c = model.config
    config: dict[str, Any] = {"architectures": ["BartForConditionalGeneration"], "model_type": "bart", **EXACT}
    config |= {theirs: getattr(c, ours) for ours, theirs in SIZES.items()}
    config |= {twin: config[name] for name, twin in BOTH.items()}
    config |= dict.fromkeys(RATES, c.dropout)
    config |= {theirs: getattr(c, ours) for ours, (theirs, _) in IDS.items()}
    config |= {
        "activation_function": c.activation, "scale_embedding": c.scale_embedding, "init_std": c.init_std,
        "bos_token_id": c.start_id, "forced_eos_token_id": None, "torch_dtype": str(model.shared.weight.dtype),
    }  # fmt: skip
    return config, {name if name == BIAS else PREFIX + name: p.numpy() for name, p in model.named_parameters()}


def config_from_hugging_face(config: Mapping[str, Any], name: str = "config.json") -> EncoderDecoderConfig:
    """Our configuration.  Raises CheckpointError for a model that is not this one."""
    for key, value in ({"model_type": "bart"} | EXACT).items():
        if config.get(key, value) != value:
            raise CheckpointError(f"{name} {key}", repr(value), repr(config[key]), ANOTHER)
    found: dict[str, Any] = {}
    for ours, theirs in SIZES.items():
        found[ours] = config.get(theirs)
        if type(found[ours]) is not int or found[ours] < 1:
            raise CheckpointError(
                f"{name} {theirs}", "a whole number of at least 1", repr(found[ours]), "Was the file altered?"
            )
    for theirs, twin in BOTH.items():
        if config.get(twin) != config[theirs]:
            raise CheckpointError(f"{name} {twin}", f"{config[theirs]}, as {theirs}", repr(config.get(twin)), ANOTHER)
    rates = [config.get(key, default) for key, default in RATES.items()]
    if len(set(rates)) > 1:
        raise CheckpointError(f"{name} dropout", "one rate for all three places", rates, ANOTHER)
    found |= {ours: config.get(theirs, default) for ours, (theirs, default) in IDS.items()}
    found["scale_embedding"] = bool(config.get("scale_embedding", False))
    found["init_std"] = config.get("init_std", 0.02)
    try:
        return EncoderDecoderConfig(**found, dropout=rates[0], activation=config.get("activation_function", "gelu"))
    except (ConfigError, TypeError) as error:
        raise CheckpointError(name, "a model that is possible here", "another", str(error)) from error


def from_hugging_face(
    config: EncoderDecoderConfig, arrays: Mapping[str, np.ndarray], dtype: Any = np.float32
) -> EncoderDecoder:
    """The model with these arrays.  Raises CheckpointError where one is missing, left over, or of another shape."""
    state = {name.removeprefix(PREFIX): array for name, array in arrays.items()}
    for twin in TWINS:
        table = state.pop(twin, None)
        if table is not None and not np.array_equal(table, state.setdefault(TABLE, table)):
            raise CheckpointError(twin, f"the table {TABLE} itself", "another", "These words are not tied.")
    model = EncoderDecoder(config, rng=np.random.default_rng(0), dtype=dtype)
    state.setdefault(BIAS, model.final_logits_bias.numpy())
    model.load_state_dict(state)
    return model


def save_pretrained(model: EncoderDecoder, path: str | Path) -> None:
    """Writes config.json and model.safetensors into the folder `path`.  Raises StorageError where the disk refuses."""
    save_model(path, *to_hugging_face(model))


def from_pretrained(path: str | Path, dtype: Any = np.float32) -> EncoderDecoder:
    """The model in the folder `path`, in float32 or float64.  Raises CheckpointError where it is not whole, or another
    one."""
    folder = Path(path)
    config = config_from_hugging_face(load_json(folder / "config.json"), str(folder / "config.json"))
    return from_hugging_face(config, load_weights(folder / "model.safetensors"), dtype)
