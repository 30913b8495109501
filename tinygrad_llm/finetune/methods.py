"""The ways to fine-tune, in one table: what is made of a model, how fast it learns, and what peft calls the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.finetune.config import Patterns
from tinygrad_llm.finetune.freeze import unfreeze
from tinygrad_llm.finetune.houlsby import HoulsbyConfig
from tinygrad_llm.finetune.ia3 import IA3Config
from tinygrad_llm.finetune.lora import LoraConfig
from tinygrad_llm.finetune.model import DEFAULT, PeftModel, get_peft_model
from tinygrad_llm.finetune.peft_prompts import virtual_tokens
from tinygrad_llm.finetune.prefix import PrefixModel, PrefixTuningConfig, prefix_tuned
from tinygrad_llm.finetune.settings import FinetuneConfig
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.resize import with_vocabulary
from tinygrad_llm.nn import Experts, Linear
from tinygrad_llm.quantize import quantize_linear, unquantize_linear
from tinygrad_llm.train.trainer import Contents, whole_model

GROWTH, FIRST = 1, 2
"""What the run's seed is used for, besides the order of the data: new tokens' rows, an adapter's first weights."""
MATRICES = "*_proj"
"""All linear layers of a block, and of experts."""
FORMAT = "nf4"


@dataclass(frozen=True)
class Method:
    """make  of a model, the configuration and a generator: the model that is trained.
    lr    the learning rate that suits it.
    says  what it learns, in a few words.
    """

    make: Callable[[Any, FinetuneConfig, np.random.Generator], Any]
    lr: float
    says: str


def _full(model: Any, config: FinetuneConfig, rng: np.random.Generator) -> Any:
    unfreeze(model)
    return model


def _lora(model: Any, config: FinetuneConfig, rng: np.random.Generator) -> Any:
    chosen = LoraConfig(
        _targets(model, config), config.rank, config.alpha, config.adapter_dropout, use_dora=config.method == "dora"
    )
    return get_peft_model(model, chosen, rng=rng)


def _qlora(model: Any, config: FinetuneConfig, rng: np.random.Generator) -> Any:
    def within_a_block(path: str, layer: Any) -> bool:
        return isinstance(layer, Linear) and path.startswith("blocks.")

    return _lora(quantize_linear(model, within_a_block, format=FORMAT, double=True), config, rng)


def _ia3(model: Any, config: FinetuneConfig, rng: np.random.Generator) -> Any:
    chosen = IA3Config(_patterns(config)) if config.targets else IA3Config()
    return get_peft_model(model, chosen, rng=rng)


def _houlsby(model: Any, config: FinetuneConfig, rng: np.random.Generator) -> Any:
    targets = _patterns(config) if config.targets else HoulsbyConfig.target_modules
    chosen = HoulsbyConfig(targets, config.rank, bottleneck_dropout=config.adapter_dropout)
    return get_peft_model(model, chosen, rng=rng)


def _prefix(model: Any, config: FinetuneConfig, rng: np.random.Generator) -> Any:
    return prefix_tuned(model, PrefixTuningConfig(config.virtual_tokens), rng=rng)


TABLE: dict[str, Method] = {
    "full": Method(_full, 3e-4, "all weights"),
    "lora": Method(_lora, 1e-3, "two narrow matrices beside each matrix"),
    "dora": Method(_lora, 1e-3, "two narrow matrices and a length a row beside each matrix"),
    "qlora": Method(_qlora, 1e-3, "two narrow matrices beside each matrix, which has 4 bits a weight"),
    "ia3": Method(_ia3, 1e-2, "a factor for each key, value and hidden coordinate"),
    "adapter": Method(_houlsby, 1e-3, "a small network behind each part of a layer"),
    "prefix": Method(_prefix, 1e-2, "keys and values before the text, in each layer"),
}


def _targets(model: Any, config: FinetuneConfig) -> Patterns:
    if config.targets:
        return _patterns(config)
    has_experts = any(isinstance(module, Experts) for _, module in model.named_modules())
    return (f"attention.{MATRICES}",) if has_experts else (MATRICES,)


def _patterns(config: FinetuneConfig) -> tuple[str, ...]:
    return tuple(pattern.strip() for pattern in config.targets.split(","))


def prepared(model: Decoder, vocab_size: int, config: FinetuneConfig) -> Any:
    """What is trained: the model with room for that many tokens, and with what the method adds; a pure function of
    these and of the seed."""
    rngs = [np.random.default_rng((config.seed, use)) for use in (GROWTH, FIRST)]
    spread = 0.1 if config.method == "full" else 1.0  # beside an adapter new rows stay as they are
    model = with_vocabulary(model, max(vocab_size, model.vocab_size), rng=rngs[0], spread=spread)
    return TABLE[config.method].make(model, config, rngs[1])


def folded(model: Any) -> Any:
    """A plain model that computes the same: adapters merged, packed weights unpacked.

    Raises ArgumentError where no plain model does: an adapter of Houlsby's bends.
    """
    return unquantize_linear(model).merge_and_unload() if isinstance(model, PeftModel) else model


def learned(model: Any, base: str) -> Contents:
    """What a checkpoint holds of a fine-tuned model: all of one whose weights are learned, else what is learned alone,
    and that in peft's layout, too, where peft knows it; `base` is the path of the model that it belongs to."""
    if isinstance(model, Decoder):
        return whole_model(model)
    trained = {name: p.numpy() for name, p in model.named_parameters() if p.requires_grad}
    said, arrays = _in_peft(model)
    documents = {"adapter_config": said | {"base_model_name_or_path": base}} if said else {}
    return documents, {"trained": trained} | ({"adapter_model": arrays} if said else {})


def _in_peft(model: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    if isinstance(model, PrefixModel):
        return virtual_tokens(model)
    if isinstance(model.peft_config[DEFAULT], HoulsbyConfig):
        return {}, {}
    return model.peft_files()
