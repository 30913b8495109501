"""GPT-2 in Hugging Face's layout: a folder with config.json and model.safetensors.

A model trained here opens there, and theirs opens here. Two things differ. Their linear layers inside a block keep the
weight as (inputs, outputs), ours as (outputs, inputs): it is transposed. And their layout has no flag for missing
biases: a model without them is written with zeros.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.models.weights import load_json, load_weights, save_model

TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
BUFFERS = (".attn.bias", ".attn.masked_bias")  # old files hold the causal mask itself
EXACT = {"activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "tie_word_embeddings": True}
"""What this GPT is; a file that says otherwise is another model. Absent means this."""
OFF = ("scale_attn_by_inverse_layer_idx", "add_cross_attention")


def to_hugging_face(model: GPT) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """config.json's content and the arrays by Hugging Face's names."""
    c = model.config
    config = {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": c.vocab_size,
        "n_positions": c.block_size,
        "n_embd": c.n_embd, "n_layer": c.n_layer, "n_head": c.n_head, "embd_pdrop": c.dropout, "attn_pdrop": c.dropout,
        "resid_pdrop": c.dropout, "torch_dtype": str(model.wte.weight.dtype), **EXACT,
        "bos_token_id": None, "eos_token_id": None,
    }  # fmt: skip
    arrays = {}
    for name, array in ((name, p.numpy()) for name, p in model.named_parameters()):
        arrays["transformer." + name] = np.ascontiguousarray(array.T) if name.endswith(TRANSPOSED) else array
        twin = name.removesuffix("weight") + "bias"
        if not c.bias and name.split(".")[-2] not in ("wte", "wpe"):
            arrays["transformer." + twin] = np.zeros(array.shape[0], array.dtype)
    return config, arrays


def config_from_hugging_face(config: Mapping[str, Any], name: str = "config.json") -> GPTConfig:
    """Our configuration, with biases.  Raises CheckpointError for a model that is not this one."""
    for key, value in ({"model_type": "gpt2"} | EXACT).items():
        if config.get(key, value) != value:
            raise CheckpointError(f"{name} {key}", repr(value), repr(config[key]), "This is another architecture.")
    for key in OFF:
        if config.get(key):
            raise CheckpointError(f"{name} {key}", "false", repr(config[key]), "This is another architecture.")
    sizes: dict[str, Any] = {}
    for ours, theirs in (
        ("vocab_size",) * 2,
        ("block_size", "n_positions"),
        *[(k, k) for k in ("n_layer", "n_head", "n_embd")],
    ):
        value = config.get(theirs)
        if type(value) is not int or value < 1:
            raise CheckpointError(
                f"{name} {theirs}", "a whole number of at least 1", repr(value), "Was the file altered?"
            )
        sizes[ours] = value
    if config.get("n_inner") not in (None, 4 * sizes["n_embd"]):
        raise CheckpointError(
            f"{name} n_inner", 4 * sizes["n_embd"], config["n_inner"], "This is another architecture."
        )
    rates = [config.get(key, 0.1) for key in ("embd_pdrop", "attn_pdrop", "resid_pdrop")]
    if len(set(rates)) > 1:
        raise CheckpointError(
            f"{name} dropout", "one rate for all three places", rates, "This is another architecture."
        )
    return GPTConfig(**sizes, dropout=rates[0])


def from_hugging_face(config: GPTConfig, arrays: Mapping[str, np.ndarray], dtype: Any = np.float32) -> GPT:
    """The model with these arrays; for a configuration without biases theirs must be zero, and are left out."""
    state = {}
    for name, array in arrays.items():
        short = name.removeprefix("transformer.")
        if (short.endswith(BUFFERS) and array.ndim != 1) or short == "lm_head.weight":
            continue
        if short.endswith(".bias") and not config.bias:
            if np.any(array):
                raise CheckpointError(name, "zeros, for a model without biases", "others", "Load it with bias=True.")
            continue
        state[short] = array.T if short.endswith(TRANSPOSED) and array.ndim == 2 else array
    head, table = arrays.get("lm_head.weight"), state.get("wte.weight")
    if head is not None and table is not None and not np.array_equal(head, table):
        raise CheckpointError("lm_head.weight", "the token embedding's own table", "another", "This head is not tied.")
    model = GPT(config, rng=np.random.default_rng(0), dtype=dtype)
    model.load_state_dict(state)
    return model


def save_pretrained(model: GPT, path: str | Path) -> None:
    """Writes config.json and model.safetensors into the folder `path`.  Raises StorageError where the disk refuses."""
    save_model(path, *to_hugging_face(model))


def from_pretrained(path: str | Path, dtype: Any = np.float32) -> GPT:
    """The GPT in the folder `path`, in float32 or float64.  Raises CheckpointError where it is not whole, or another
    model."""
    folder = Path(path)
    config = config_from_hugging_face(load_json(folder / "config.json"), str(folder / "config.json"))
    return from_hugging_face(config, load_weights(folder / "model.safetensors"), dtype)
