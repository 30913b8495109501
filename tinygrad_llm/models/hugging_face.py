"""Models in Hugging Face's layout: a folder with config.json and model.safetensors, one table an architecture.

A model trained here opens there, and theirs opens here. What a table cannot say is refused by its name, both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.models.layout import Layout, read_arrays, write_arrays
from tinygrad_llm.models.layout_config import read_config, write_config
from tinygrad_llm.models.layouts import LAYOUTS
from tinygrad_llm.models.weights import load_json, load_weights, save_model, weights_file
from tinygrad_llm.nn import Module


def to_hugging_face(model: Module) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """config.json's content, and the arrays by Hugging Face's names.

    Raises CheckpointError for a model of no table's class or configuration, and for one whose layers are not those of
    its configuration.
    """
    layout = layout_of(model)
    arrays = write_arrays(layout, model)
    dtype = next(iter(arrays.values())).dtype
    return write_config(layout, vars(model)["config"], dtype), arrays


def layout_of(model: Module) -> Layout:
    """The table of a model's architecture.  Raises CheckpointError for a class or a configuration of no table."""
    for layout in LAYOUTS:
        if layout.holds(model):
            return layout
    known = ", ".join(dict.fromkeys(layout.model.__name__ for layout in LAYOUTS))
    kinds = ", ".join(layout.model_type for layout in LAYOUTS if type(model) is layout.model)
    if kinds:
        next_step = "No architecture there has all of these options; save its state_dict() instead."
        raise CheckpointError("model", f"one of {kinds}", str(vars(model)["config"]), next_step)
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
    layout = _chosen(config, name)
    return layout, read_config(layout, config, name)


def _chosen(config: Mapping[str, Any], name: str) -> Layout:
    """By model_type; where several heads share one, by `architectures`, the bare model where that is absent."""
    kind = config.get("model_type")
    fitting = [layout for layout in LAYOUTS if layout.model_type == kind]
    if not fitting:
        known = ", ".join(dict.fromkeys(layout.model_type for layout in LAYOUTS))
        raise CheckpointError(f"{name} model_type", f"one of {known}", repr(kind), "No table has it.")
    for key in fitting[0].parts:
        inner, known = _kind_within(config, key), ", ".join(dict.fromkeys(layout.parts[key] for layout in fitting))
        fitting = [layout for layout in fitting if inner in (None, layout.parts[key])]
        if not fitting:
            raise CheckpointError(f"{name} {key}.model_type", f"one of {known}", repr(inner), "No table has it.")
    said = config.get("architectures")
    if len(fitting) == 1 or not said:
        return fitting[0]
    for layout in fitting:
        if said == [layout.architecture]:
            return layout
    known = ", ".join(layout.architecture for layout in fitting)
    raise CheckpointError(f"{name} architectures", f"one of {known}", repr(said), "No table has it.")


def _kind_within(config: Mapping[str, Any], key: str) -> Any:
    """The model_type of the configuration that lies under the key; None where nothing is said."""
    inner = config.get(key)
    return inner.get("model_type") if isinstance(inner, Mapping) else None
