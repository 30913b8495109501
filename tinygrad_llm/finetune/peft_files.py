"""Adapters in peft's layout: a folder with adapter_config.json and adapter_model.safetensors, under its names.

An adapter trained here opens there, and theirs opens here, for every model of which `models/layouts` has a table. Where
several layers of ours are one there, GPT-2's queries, keys and values, its adapter is theirs: they read through one A,
which they share, and each has its rows of B. Layers of ours with an A each are written as one of their common rank, of
which each uses its part; what is read again is that one.

What a file says and what is not here is refused by its name. Mixtral's experts have the names of their weights' files,
which peft knows in transformers 4; in 5 they are one tensor, and no adapter of them opens there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.errors import CheckpointError, StorageError, reason
from tinygrad_llm.finetune.adapted import Adapter, linear_sizes
from tinygrad_llm.finetune.config import AdapterConfig
from tinygrad_llm.finetune.ia3 import IA3, IA3Config
from tinygrad_llm.finetune.lora import DoRA, LoRA, LoraConfig
from tinygrad_llm.models.hugging_face import layout_of
from tinygrad_llm.models.weights import load_json, load_weights, save_weights
from tinygrad_llm.nn import Module, Parameter

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Slot:
    """A linear layer there: its name, whether it is stored transposed, and our layers that are its rows, in order.

    layers  by path; rows how many outputs each has.
    """

    name: str
    transposed: bool
    layers: dict[str, Any]

    @property
    def rows(self) -> list[int]:
        """How many outputs each layer of ours has."""
        return [sizes[1] for layer in self.layers.values() if (sizes := linear_sizes(layer))]

    @property
    def inputs(self) -> int:
        """I, which all have."""
        sizes = linear_sizes(next(iter(self.layers.values())))
        assert sizes is not None
        return sizes[0]

    def split(self, array: np.ndarray) -> list[np.ndarray]:
        """Rows of the layer there as those of ours."""
        return np.split(array, np.cumsum(self.rows)[:-1])


def slots(plain: Module) -> list[Slot]:
    """The linear layers of a model without adapters, as they are there.  Raises CheckpointError for one of no table."""
    linear = {path: module for path, module in plain.named_modules() if linear_sizes(module) is not None}
    shapes = {f"{path}.weight": sizes[::-1] for path, module in linear.items() if (sizes := linear_sizes(module))}
    found = []
    for name, (stored, paths) in layout_of(plain).places(shapes).items():
        modules = [path.removesuffix(".weight") for path in paths]
        layers = {path: linear[path] for path in modules}
        found.append(Slot(name.removesuffix(".weight"), stored.transposed, layers))
    return found


# -- out -------------------------------------------------------------------------------------------------------------


def to_peft(
    plain: Module, config: AdapterConfig, adapters: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """adapter_config.json's content, and the arrays by peft's names, of the adapters by path of a model without them.

    Raises CheckpointError for a kind of adapter or a model that is not there.
    """
    used = [(slot, [adapters.get(path) for path in slot.layers]) for slot in slots(plain)]
    used = [(slot, parts) for slot, parts in used if any(parts)]
    written = {path for slot, _ in used for path in slot.layers}
    if lost := [path for path in adapters if path not in written]:
        raise CheckpointError(lost[0], "a layer that is one in Hugging Face's layout, too", "another")
    common: dict[str, Any] = {"base_model_name_or_path": None, "inference_mode": True, "task_type": "CAUSAL_LM"}
    common |= {"target_modules": [slot.name for slot, _ in used]}
    common |= {"fan_in_fan_out": any(slot.transposed for slot, _ in used)}
    if isinstance(config, LoraConfig):
        return _write_lora(config, used, common)
    if isinstance(config, IA3Config):
        return _write_ia3(used, common)
    raise CheckpointError("adapter", "one that peft has: LoRA, DoRA or IA3", type(config).__name__)


def _write_lora(config: LoraConfig, used: Any, common: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    said = common | {
        "peft_type": "LORA", "r": config.r, "lora_alpha": config.lora_alpha, "lora_dropout": config.lora_dropout,
        "use_rslora": config.use_rslora, "use_dora": config.use_dora, "bias": "none", "init_lora_weights": True,
        "rank_pattern": {}, "alpha_pattern": {},
    }  # fmt: skip
    arrays = {}
    for slot, parts in used:
        a, b, scaling = _common_product(slot, parts)
        alpha = scaling * (math.sqrt(len(a)) if config.use_rslora else len(a))
        if len(a) != config.r:
            said["rank_pattern"][slot.name] = len(a)
        if not math.isclose(alpha, config.lora_alpha, rel_tol=1e-12):
            said["alpha_pattern"][slot.name] = alpha
        arrays[f"{PREFIX}{slot.name}.lora_A.weight"] = a
        arrays[f"{PREFIX}{slot.name}.lora_B.weight"] = b
        if config.use_dora:
            lengths = [_magnitude(part, layer) for part, layer in zip(parts, slot.layers.values())]
            arrays[f"{PREFIX}{slot.name}.lora_magnitude_vector"] = np.concatenate(lengths)
    return said, arrays


def _common_product(slot: Slot, parts: Sequence[LoRA | None]) -> tuple[np.ndarray, np.ndarray, float]:
    """A (R, I), B (O, R) and s of one adapter that does what those of the layers do, zeros where one has none.

    Layers that share their A go through it together; each other A has columns of B of its own.
    """
    there = [part for part in parts if part is not None]
    firsts = list({id(part.lora_A): part for part in there}.values())
    starts = np.cumsum([0, *[part.r for part in firsts]])
    columns = {id(part.lora_A): slice(start, stop) for part, start, stop in zip(firsts, starts, starts[1:])}
    scaling, dtype = there[0].scaling, there[0].lora_B.dtype
    b = [np.zeros((rows, int(starts[-1])), dtype) for rows in slot.rows]
    for rows, part in zip(b, parts):
        if part is not None:
            rows[:, columns[id(part.lora_A)]] = part.lora_B.numpy() * (part.scaling / scaling)
    return np.concatenate([part.lora_A.numpy() for part in firsts]), np.concatenate(b), scaling


def _magnitude(part: DoRA | None, layer: Any) -> np.ndarray:
    """m (O,), which is the lengths of the weight's rows where there is no adapter."""
    if part is not None:
        return part.lora_magnitude_vector.numpy()
    weight = layer.weight.numpy()
    return np.sqrt((weight * weight).sum(1))


def _write_ia3(used: Any, common: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    arrays, feedforward = {}, []
    for slot, parts in used:
        kinds = {part.is_feedforward for part in parts if part is not None}
        if kinds == {True} and len(parts) == 1:
            feedforward.append(slot.name)
            factors = parts[0].ia3_l.numpy()[None]
        elif kinds == {False}:
            dtype = next(part.ia3_l.dtype for part in parts if part is not None)
            ones = [np.ones(rows, dtype) for rows in slot.rows]
            factors = np.concatenate([one if p is None else p.ia3_l.numpy() for p, one in zip(parts, ones)])[:, None]
        else:
            next_step = "There they are one layer, with one input."
            raise CheckpointError(slot.name, "factors of the output alone", "of the input too", next_step)
        arrays[f"{PREFIX}{slot.name}.ia3_l"] = factors
    return common | {"peft_type": "IA3", "feedforward_modules": feedforward, "init_ia3_weights": True}, arrays


# -- in --------------------------------------------------------------------------------------------------------------

HARMLESS = set(
    """
    auto_mapping base_model_name_or_path revision inference_mode peft_version task_type megatron_core loftq_config
    eva_config corda_config lora_ga_config qalora_group_size target_modules exclude_modules layers_to_transform
    layers_pattern fan_in_fan_out init_ia3_weights feedforward_modules peft_type runtime_config
""".split()
)
"""Keys that do not change what an adapter computes, once it is trained, or that its tensors say themselves."""
READ = {
    "LORA": {
        "r", "lora_alpha", "lora_dropout", "use_rslora", "use_dora", "bias", "init_lora_weights", "rank_pattern",
        "alpha_pattern",
    },
    "IA3": set(),
}  # fmt: skip
OWN_BASE = "Its base is not the model's own weights: let peft save it with path_initial_model_for_weight_conversion."


def from_peft(
    plain: Module, said: Mapping[str, Any], arrays: Arrays, dtype: Any
) -> tuple[AdapterConfig, dict[str, Adapter]]:
    """Our configuration and the adapters by path, of a model without adapters.

    Raises CheckpointError for what is not supported, and for tensors that are missing, left over, or of another shape.
    """
    kind = said.get("peft_type")
    if kind not in READ:
        raise CheckpointError(f"{CONFIG} peft_type", " or ".join(READ), repr(kind))
    for key, value in said.items():  # what is off, empty or not there says nothing
        if value and key not in HARMLESS | READ[kind] and not (key == "modules_to_save" and not value):
            raise CheckpointError(f"{CONFIG} {key}", "nothing that changes what is computed", repr(value)[:60])
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        module, _, leaf = name.removeprefix(PREFIX).removesuffix(".weight").rpartition(".")
        found.setdefault(module, {})[leaf] = array
    known = {slot.name: slot for slot in slots(plain)}
    if unknown := sorted(found.keys() - known.keys()):
        raise CheckpointError(WEIGHTS, "linear layers of the model", unknown[:3], "Is it an adapter of this model?")
    if not found:
        raise CheckpointError(WEIGHTS, "at least one adapter", "none")
    read = _read_lora if kind == "LORA" else _read_ia3
    adapters: dict[str, Any] = {}
    for name, tensors in found.items():
        adapters |= dict(zip(known[name].layers, read(known[name], said, tensors, dtype)))
    return _config(said, adapters), adapters


def _config(said: Mapping[str, Any], adapters: Mapping[str, Any]) -> AdapterConfig:
    targets = tuple(adapters)
    if said["peft_type"] == "IA3":
        return IA3Config(targets, tuple(path for path in targets if adapters[path].is_feedforward))
    options = {
        name: said[name] for name in ("r", "lora_alpha", "lora_dropout", "use_rslora", "use_dora") if name in said
    }
    return LoraConfig(targets, **options)


def _read_lora(slot: Slot, said: Mapping[str, Any], tensors: Arrays, dtype: Any) -> list[LoRA]:
    if said.get("bias", "none") != "none":
        raise CheckpointError(f"{CONFIG} bias", "none", repr(said["bias"]))
    if said.get("init_lora_weights", True) not in (True, False, "gaussian", "orthogonal", "eva"):
        raise CheckpointError(f"{CONFIG} init_lora_weights", "true", repr(said["init_lora_weights"]), OWN_BASE)
    r = _pattern(said, "rank_pattern", slot.name, said.get("r", 8))
    alpha = _pattern(said, "alpha_pattern", slot.name, said.get("lora_alpha", 8))
    outputs, with_dora = sum(slot.rows), bool(said.get("use_dora", False))
    shapes: dict[str, tuple[int, ...]] = {"lora_A": (r, slot.inputs), "lora_B": (outputs, r)}
    _check(slot.name, tensors, shapes | ({"lora_magnitude_vector": (outputs,)} if with_dora else {}))
    shared = Parameter(np.array(tensors["lora_A"], dtype))
    found = []
    for number, layer in enumerate(slot.layers.values()):
        options = alpha, said.get("lora_dropout", 0.0), bool(said.get("use_rslora", False))
        made = (DoRA if with_dora else LoRA)(layer, r, *options, rng=np.random.default_rng(0), dtype=dtype)
        made.lora_A = shared
        made.lora_B = Parameter(np.array(slot.split(tensors["lora_B"])[number], dtype))
        if isinstance(made, DoRA):
            lengths = slot.split(tensors["lora_magnitude_vector"])[number]
            made.lora_magnitude_vector = Parameter(np.array(lengths, dtype))
        found.append(made)
    return found


def _read_ia3(slot: Slot, said: Mapping[str, Any], tensors: Arrays, dtype: Any) -> list[IA3]:
    is_feedforward = tensors["ia3_l"].shape == (1, slot.inputs) if "ia3_l" in tensors else False
    _check(slot.name, tensors, {"ia3_l": (1, slot.inputs) if is_feedforward else (sum(slot.rows), 1)})
    factors = tensors["ia3_l"].reshape(-1)
    parts = [factors] * len(slot.layers) if is_feedforward else slot.split(factors)
    shared = Parameter(np.array(factors, dtype))
    found = []
    for layer, part in zip(slot.layers.values(), parts):
        made = IA3(layer, is_feedforward, dtype=dtype)
        made.ia3_l = shared if is_feedforward else Parameter(np.array(part, dtype))
        found.append(made)
    return found


def _pattern(said: Mapping[str, Any], key: str, name: str, default: Any) -> Any:
    """The first of the patterns that fits the end of a layer's name there, as peft reads them."""
    patterns = said.get(key) or {}
    try:
        return next((value for p, value in patterns.items() if re.match(rf"(.*\.)?({p})$", name)), default)
    except (AttributeError, re.error) as error:
        raise CheckpointError(f"{CONFIG} {key}", "patterns, each with a number", repr(patterns)[:60]) from error


def _check(name: str, tensors: Arrays, shapes: Mapping[str, tuple[int, ...]]) -> None:
    found = {leaf: tuple(array.shape) for leaf, array in tensors.items()}
    if found != shapes:
        raise CheckpointError(f"{WEIGHTS} {name}", dict(shapes), found, "Is it an adapter of this model?")


# -- files -----------------------------------------------------------------------------------------------------------


def save_adapter(path: str | Path, said: Mapping[str, Any], arrays: Arrays) -> None:
    """Writes adapter_config.json and adapter_model.safetensors into the folder.

    Raises StorageError where the disk refuses.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).write_text(json.dumps(said, indent=2), encoding="utf-8")
    except OSError as error:
        raise StorageError(str(folder), "a folder that can be written", reason(error)) from error
    save_weights(folder / WEIGHTS, arrays, {"format": "pt"})


def load_adapter(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `save_adapter` wrote, or peft.  Raises CheckpointError where it is not whole."""
    return load_json(Path(path) / CONFIG), load_weights(Path(path) / WEIGHTS)
