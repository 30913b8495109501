"""Prefix tuning: in every layer, learned keys and values stand before those of the text.

Source: Li and Liang, "Prefix-Tuning: Optimizing Continuous Prompts for Generation", 2021. As in peft the numbers are
learned directly, without the paper's network that makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_array, namespace
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune.freeze import freeze
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.nn import Attention, Cache, Parameter, Rng, init, replace
from tinygrad_llm.ranges import check_whole


@dataclass(frozen=True)
class PrefixTuningConfig:
    """num_virtual_tokens  P, how many keys and values stand before those of the text, in each layer.

    std  standard deviation of their first numbers.
    """

    num_virtual_tokens: int
    std: float = 1.0

    def __post_init__(self) -> None:
        check_whole(num_virtual_tokens=self.num_virtual_tokens)


class PrefixAttention(Attention):
    """Self-attention that sees P keys and values more, before all others.  (B, T, D) -> (B, T, D)

    prefix_keys    (G, P, K), not rotated by a position.
    prefix_values  (G, P, J)

    All else is the layer's that it is made of, and shared with it.
    """

    def __init__(self, layer: Attention, keys: Parameter, values: Parameter) -> None:
        if not layer.causal or layer.window is not None:
            next_step = "A prefix is seen from everywhere."
            raise ArgumentError("layer", "causal self-attention without a window", "another", next_step)
        vars(self).update(vars(layer))
        self.prefix_keys, self.prefix_values = keys, values

    def _packs(self, source: Any, mask: Any, cache: Any) -> bool:
        return False

    def _heads(self, x: Tensor, source: Any, lengths: Any, positions: Any, cache: Any) -> tuple:
        q, k, v, lengths = super()._heads(x, source, lengths, positions, cache)
        k, v = (_behind(prefix, t) for prefix, t in ((self.prefix_keys, k), (self.prefix_values, v)))
        return q, k, v, None if lengths is None else as_array(lengths) + self.prefix_keys.shape[1]

    def _options(self, source: Any, mask: Any, lengths: Any, k: Tensor) -> dict[str, Any]:
        return super()._options(source, widened_mask(mask, self.prefix_keys.shape[1]), lengths, k)


def _behind(prefix: Tensor, x: Tensor) -> Tensor:
    """(G, P, K), (B, G, S, K) -> (B, G, P + S, K)"""
    first = ops.broadcast_to(prefix.astype(x.dtype).reshape(1, *prefix.shape), (x.shape[0], *prefix.shape))
    return ops.concat([first, x], axis=2)


def widened_mask(mask: Any, count: int) -> Any:
    """A mask, as nn.Attention takes it, for `count` keys more at the left, which all may see."""
    if mask is None:
        return None
    mask = as_array(mask.data if isinstance(mask, Tensor) else mask)
    xp, shape = namespace(mask), (*mask.shape[:-1], count)
    return xp.concatenate([xp.ones(shape, bool) if mask.dtype.kind == "b" else xp.zeros(shape, mask.dtype), mask], -1)


class PrefixModel(LanguageModel):
    """A language model with a prefix in each layer, which is all that is learned. The text begins at position P.

    base_model  the tree with a PrefixAttention in place of each Attention; all else is the model's, and frozen.
    """

    def __init__(self, model: LanguageModel, prefixes: Sequence[tuple[Parameter, Parameter]]) -> None:
        freeze(model)
        rest = iter(prefixes)
        self.base_model = replace(model, Attention, lambda _, layer: PrefixAttention(layer, *next(rest)))
        self.count = prefixes[0][0].shape[1]
        self.vocab_size = model.vocab_size
        self.block_size = room(model, self.count)

    def hidden(
        self,
        tokens: Any,
        *,
        mask: Any = None,
        positions: Any = None,
        cache: Any = None,
        rng: Rng | None = None,
        dtype: Any = None,
        **more: Any,
    ) -> Tensor:
        """See LanguageModel; positions are counted from the text's first token."""
        tokens = self._token_ids(tokens, 0 if cache is None else cache.longest)
        if positions is None:
            positions = np.arange(tokens.shape[1]) if cache is None else cache.positions(tokens.shape[1])
        return self.base_model.hidden(
            tokens, mask=mask, positions=as_array(positions) + self.count, cache=cache, rng=rng, dtype=dtype, **more
        )

    def head(self) -> tuple[Tensor, Tensor | None]:
        """See LanguageModel."""
        return self.base_model.head()

    def new_cache(self, batch: int, capacity: int = 64) -> Cache:
        """See LanguageModel. The prefix is no part of it."""
        return self.base_model.new_cache(batch, capacity)


def room(model: LanguageModel, count: int) -> int | None:
    """The longest text beside so many virtual tokens."""
    if model.block_size is not None and count >= model.block_size:
        raise ArgumentError("num_virtual_tokens", f"less than block_size = {model.block_size}", count)
    return None if model.block_size is None else model.block_size - count


def prefix_tuned(model: LanguageModel, config: PrefixTuningConfig, *, rng: np.random.Generator) -> PrefixModel:
    """The model with a new prefix, and all else frozen; its parameters are the given model's, frozen there too.

    Raises ArgumentError where a layer has a window, and where no room is left for a text.
    """
    layers = {id(module): module for _, module in model.named_modules() if isinstance(module, Attention)}
    prefixes = []
    for layer in layers.values():
        first, dtype = (layer.n_kv_head, config.num_virtual_tokens), next(iter(layer.parameters())).dtype
        keys, values = (
            init.normal(rng, (*first, size), config.std, dtype) for size in (layer.head_size, layer.value_size)
        )
        prefixes.append((keys, values))
    if not prefixes:
        raise ArgumentError("model", "one with attention", type(model).__name__)
    return PrefixModel(model, prefixes).to(model.device)
