"""Random small decoders of every family, with weights far from their first ones: what tests of fast steps share."""

from __future__ import annotations

from typing import Any

import numpy as np
from cached_models import redrawn

from tinygrad_llm.models import GPT, GPTConfig, Llama, LlamaConfig
from tinygrad_llm.nn import DynamicScaling, LinearScaling, Llama3Scaling, RopeScaling, YaRN

VOCABULARY = 11
FAMILIES: dict[str, dict[str, Any]] = {
    "gpt": {},
    "llama": {},
    "mistral": {"window": True},
    "qwen2": {"qkv_bias": True, "out_bias": False},
    "qwen2 with windows": {"qkv_bias": True, "out_bias": False, "window": True, "window_from": 1},
    "qwen3": {"qk_norm": True},
    "mixtral": {"experts": True},
    "all at once": {"experts": True, "window": True, "qkv_bias": True, "out_bias": True, "qk_norm": True},
}


def decoder(family: str, seed: int, dtype: Any = np.float64, **changes: Any) -> GPT | Llama:
    """One of the family; sizes by the seed. `changes` are fields of its configuration."""
    rng = np.random.default_rng([seed, 21])
    n = lambda low, high: int(rng.integers(low, high))
    sizes = {"vocab_size": VOCABULARY, "block_size": n(8, 20), "n_layer": n(1, 4)}
    if family == "gpt":
        heads = n(1, 4)
        gpt = sizes | {"n_head": heads, "n_embd": heads * n(2, 6), "bias": bool(n(0, 2)), "tied": bool(n(0, 2))}
        return redrawn(GPT(GPTConfig(**(gpt | changes)), rng=rng, dtype=dtype), seed)
    groups, repeats, width = n(1, 4), n(1, 4), n(3, 14)
    options: dict[str, Any] = {"n_head": groups * repeats, "n_kv_head": groups, "head_size": 2 * n(1, 5)}
    options |= {"n_embd": width, "n_hidden": n(3, 14), "tied": bool(n(0, 2)), "mlp_bias": bool(n(0, 2))}
    options |= {"rope_base": float(n(5, 200)), "rope_scaling": a_scaling(rng), "norm_eps": 10.0 ** -n(2, 7)}
    options |= sizes | FAMILIES[family]
    if options.pop("experts", False):
        options |= {"n_experts": n(2, 6), "experts_per_token": n(1, 3), "mlp_bias": False}
    if options.get("window"):
        options["window"] = n(1, 7)
    return redrawn(Llama(LlamaConfig(**(options | changes)), rng=rng, dtype=dtype), seed)


def a_scaling(rng: np.random.Generator) -> RopeScaling | None:
    """Of the kinds whose frequencies do not depend on the text, or none."""
    return (None, None, LinearScaling(2.5), YaRN(4.0, 8, fast=4.0, slow=0.5), Llama3Scaling(3.0, 9))[rng.integers(5)]


def dynamic(family: str, seed: int, original: int, **changes: Any) -> Llama:
    """With frequencies that change once a text is longer than `original`."""
    return decoder(family, seed, rope_scaling=DynamicScaling(2.0, original), head_size=6, **changes)  # type: ignore[return-value]
