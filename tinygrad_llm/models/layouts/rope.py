"""Rotary positions in files: two forms of one setting, and the scalings by the names that they have there."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.nn import DynamicScaling, LinearScaling, Llama3Scaling, RopeScaling, YaRN
from tinygrad_llm.nn.rope_scaling import yarn_factor

SCALINGS: dict[str, Any] = {"linear": LinearScaling, "dynamic": DynamicScaling, "yarn": YaRN, "llama3": Llama3Scaling}
KEYS = {
    "original": "original_max_position_embeddings", "fast": "beta_fast", "slow": "beta_slow", "low": "low_freq_factor",
    "high": "high_freq_factor",
}  # fmt: skip
"""Our field -> its key there, where that is another."""
TRAINED, LONGEST = KEYS["original"], "max_position_embeddings"


def with_rope(said: dict[str, Any]) -> dict[str, Any]:
    """A configuration with `rope_theta` and `rope_scaling`, for which transformers 5 has one `rope_parameters`.

    The scaling names the trained length, which is max_position_embeddings where it is not said. Of a dynamic scaling it
    is that always: texts are to be longer, up to `factor` times.
    """
    new, old = said.pop("rope_parameters", None), said.get("rope_scaling")
    if new is not None and old not in (None, new):
        raise ValueError("rope_scaling and rope_parameters say different things.")
    scaling = dict(new or old or {})
    if (base := scaling.pop("rope_theta", None)) is not None:
        said["rope_theta"] = base
    kinds = {scaling[key] for key in ("rope_type", "type") if key in scaling}
    if kinds == {"default"} and scaling.keys() <= {"rope_type", "type"}:
        scaling = {}
    if kinds & {"dynamic", "yarn", "llama3"}:
        scaling[TRAINED] = scaling.get(TRAINED) or said[LONGEST]
    if kinds == {"dynamic"}:
        if scaling[TRAINED] != said[LONGEST]:
            raise ValueError(f"a dynamic scaling with another {TRAINED} than {LONGEST}.")
        said[LONGEST] = math.floor(scaling["factor"] * said[LONGEST])
    return said | {"rope_scaling": scaling or None}


def read_scaling(said: dict[str, Any] | None) -> RopeScaling | None:
    """Ours.  Raises ValueError for a kind or a key that nobody here knows, and for numbers that cannot be."""
    if said is None:
        return None
    said = {key: value for key, value in said.items() if value is not None}
    kinds = {said.pop(key) for key in ("rope_type", "type") if key in said}
    if len(kinds) != 1 or (kind := kinds.pop()) not in SCALINGS:
        raise ValueError(f"rope_type {', '.join(SCALINGS)} or default")
    if said.pop("partial_rotary_factor", 1.0) != 1.0:
        raise ValueError("partial_rotary_factor 1.0")
    weights = said.pop("mscale", 0), said.pop("mscale_all_dim", 0)
    if all(weights) and "attention_factor" not in said:
        said["attention_factor"] = yarn_factor(said["factor"], weights[0]) / yarn_factor(said["factor"], weights[1])
    ours = {KEYS.get(field.name, field.name): field.name for field in fields(SCALINGS[kind])}
    if unknown := said.keys() - ours.keys():
        raise ValueError(f"of {kind}: {', '.join(ours)}; not {', '.join(sorted(unknown))}")
    return SCALINGS[kind](**{ours[key]: value for key, value in said.items()})


def write_scaling(scaling: RopeScaling | None) -> dict[str, Any] | None:
    """Theirs."""
    if scaling is None:
        return None
    kind = next(name for name, made in SCALINGS.items() if type(scaling) is made)
    found = {KEYS.get(field.name, field.name): getattr(scaling, field.name) for field in fields(scaling)}
    if kind == "dynamic":
        del found[TRAINED]  # there it is max_position_embeddings
    return {"rope_type": kind} | {key: value for key, value in found.items() if value is not None}


def longest_there(config: Any) -> int:
    """What max_position_embeddings says of one of our configurations."""
    scaling = config.rope_scaling
    if not isinstance(scaling, DynamicScaling):
        return config.block_size
    longest = math.floor(scaling.factor * scaling.original)
    if config.block_size != longest:
        next_step = "A file says no other length for this scaling."
        raise CheckpointError("block_size", f"factor times original = {longest}", config.block_size, next_step)
    return scaling.original
