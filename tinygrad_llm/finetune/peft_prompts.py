"""Prefixes and prompts in peft's layout: adapter_config.json, and one tensor in adapter_model.safetensors.

`prompt_embeddings` is (P, D) of a prompt, and (P, 2 L G K) of a prefix: of each virtual token, layer by layer its keys
and then its values, head by head.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.finetune.peft_files import CONFIG, WEIGHTS, load_adapter, save_adapter
from tinygrad_llm.finetune.prefix import PrefixModel
from tinygrad_llm.finetune.prompt import PromptModel
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.nn import Attention, Module, Parameter

PREFIX, PROMPT = "PREFIX_TUNING", "PROMPT_TUNING"
NAME = "prompt_embeddings"


def save_virtual_tokens(model: PrefixModel | PromptModel, path: str | Path) -> None:
    """Writes what was learned into the folder `path`.  Raises StorageError where the disk refuses."""
    save_adapter(path, *virtual_tokens(model))


def virtual_tokens(model: PrefixModel | PromptModel) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """adapter_config.json's content, and the one array, by its name."""
    layers = _attentions(model.base_model)
    said: dict[str, Any] = {
        "num_virtual_tokens": model.count, "num_layers": len(layers), "num_attention_heads": layers[0].n_kv_head,
        "num_transformer_submodules": 1, "inference_mode": True, "task_type": "CAUSAL_LM",
        "base_model_name_or_path": None,
    }  # fmt: skip
    if isinstance(model, PromptModel):
        array = model.base_model.token_embedding.prompt.numpy()
        said |= {"peft_type": PROMPT, "token_dim": array.shape[1], "num_attention_heads": layers[0].n_head}
    else:
        pairs = [t.numpy() for layer in layers for t in (layer.prefix_keys, layer.prefix_values)]
        array = np.stack(pairs).transpose(2, 0, 1, 3).reshape(model.count, -1)  # (2 L, G, P, K) -> (P, 2 L G K)
        said |= {
            "peft_type": PREFIX,
            "token_dim": layers[0].n_kv_head * layers[0].head_size,
            "prefix_projection": False,
        }
    return said, {NAME: np.ascontiguousarray(array)}


def load_virtual_tokens(model: Decoder, path: str | Path) -> PrefixModel | PromptModel:
    """The model with the prefix or the prompt of a folder; all else is frozen, see `prefix_tuned` and `prompt_tuned`.

    A prefix with a projection is opened, for its file holds what came of it. Raises CheckpointError for a folder that
    is not whole, or of another model.
    """
    said, arrays = load_adapter(path)
    kind, count = said.get("peft_type"), said.get("num_virtual_tokens")
    if kind not in (PREFIX, PROMPT):
        raise CheckpointError(f"{CONFIG} peft_type", f"{PREFIX} or {PROMPT}", repr(kind))
    layers = _attentions(model)
    heads, size = layers[0].n_kv_head, layers[0].head_size
    width = model.token_embedding.weight.shape[1] if kind == PROMPT else 2 * len(layers) * heads * size
    found = {name: array.shape for name, array in arrays.items()}
    if found != {NAME: (count, width)}:
        raise CheckpointError(WEIGHTS, {NAME: (count, width)}, found, "Is it of this model?")
    array = np.array(arrays[NAME], model.token_embedding.weight.dtype)
    if kind == PROMPT:
        return PromptModel(model, Parameter(array))
    pairs = np.ascontiguousarray(array.reshape(-1, 2 * len(layers), heads, size).transpose(1, 2, 0, 3))
    return PrefixModel(model, [(Parameter(pairs[i]), Parameter(pairs[i + 1])) for i in range(0, len(pairs), 2)])


def _attentions(model: Module) -> list[Any]:
    """Of each layer the attention, in order."""
    return [layer for _, layer in model.named_modules() if isinstance(layer, Attention)]
