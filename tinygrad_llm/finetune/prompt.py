"""Prompt tuning: a few learned vectors stand before a text, as if they were embedded tokens.

Source: Lester et al., "The Power of Scale for Parameter-Efficient Prompt Tuning", 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.backend import as_array, namespace, to_device_of
from tinygrad_llm.datasets.batches import check_token_ids
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune.freeze import freeze
from tinygrad_llm.finetune.prefix import PrefixModel, room, widened_mask
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.nn import Cache, Embedding, KVCache, LayerCache, Module, Parameter, Rng, init, replace
from tinygrad_llm.ranges import check_whole


@dataclass(frozen=True)
class PromptTuningConfig:
    """num_virtual_tokens  P, how many vectors stand before the text.

    init_ids  tokens whose vectors they are at first, over again where they are fewer; drawn where there are none.
    """

    num_virtual_tokens: int
    init_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_whole(num_virtual_tokens=self.num_virtual_tokens)


class PromptEmbedding(Module):
    """The P vectors of the prompt in the place of the first P ids, whatever these are.  (B, P + T) -> (B, P + T, D)

    base_layer  the embedding itself; prompt (P, D).
    """

    def __init__(self, base_layer: Embedding, prompt: Parameter) -> None:
        self.base_layer, self.prompt = base_layer, prompt

    @property
    def weight(self) -> Tensor:
        """The table of the real tokens, which may be the head's, too.  (V, D)"""
        return self.base_layer.weight

    def __call__(self, ids: Any) -> Tensor:
        count, width = self.prompt.shape
        first = ops.broadcast_to(self.prompt.reshape(1, count, width), (len(ids), count, width))
        return ops.concat([first, self.base_layer(ids[:, count:])], axis=1)


class PromptModel(LanguageModel):
    """A decoder whose texts begin with learned vectors, which is all that is learned. The text begins at position P.

    base_model  the tree with a PromptEmbedding in place of its token embedding; all else is the model's, and frozen.

    It has no cache: `as_prefix` gives a model that computes the same and has one.
    """

    def __init__(self, model: Decoder, prompt: Parameter) -> None:
        freeze(model)
        self.base_model = replace(model, "token_embedding", lambda _, layer: PromptEmbedding(layer, prompt))
        self.count = prompt.shape[0]
        self.vocab_size, self.block_size = model.vocab_size, room(model, self.count)

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
        if cache is not None:
            raise ArgumentError("cache", "none", "one", WITH_CACHE)
        tokens = self._token_ids(tokens)
        xp, batch = namespace(tokens), len(tokens)
        if positions is not None:
            positions = as_array(positions)
            first = xp.broadcast_to(xp.arange(self.count), (*positions.shape[:-1], self.count))
            positions = xp.concatenate([first, positions + self.count], -1)
        tokens = xp.concatenate([xp.zeros((batch, self.count), tokens.dtype), tokens], 1)
        mask = self._mask(mask)
        states = self.base_model.hidden(tokens, mask=mask, positions=positions, rng=rng, dtype=dtype, **more)
        return states[:, self.count :]

    def _mask(self, mask: Any) -> Any:
        """For the prompt's keys, and for its queries, which see one another as is causal."""
        mask = widened_mask(mask, self.count)
        if mask is None or mask.ndim != 4:
            return mask
        xp = namespace(mask)
        rows = xp.ones if mask.dtype.kind == "b" else xp.zeros
        shape = (*mask.shape[:2], self.count, mask.shape[3])
        return xp.concatenate([rows(shape, mask.dtype), mask], 2)

    def head(self) -> tuple[Tensor, Tensor | None]:
        """See LanguageModel."""
        return self.base_model.head()

    def new_cache(self, batch: int, capacity: int = 64) -> Cache:
        """Raises ArgumentError: see `as_prefix`."""
        raise ArgumentError("new_cache", "a model with a cache", "a PromptModel", WITH_CACHE)

    def as_prefix(self) -> PrefixModel:
        """The same function as a prefix in each layer: the keys and values that the layers make of the prompt.

        The prompt stands before all else and sees nothing but itself, so that they are the same before every text.
        """
        cache = self.base_model.new_cache(1, self.count)
        assert isinstance(cache, KVCache)
        with no_grad():
            self.base_model.hidden(np.zeros((1, self.count), np.int64), cache=cache)
        plain = replace(self.base_model, PromptEmbedding, lambda _, layer: layer.base_layer)
        return PrefixModel(plain, [self._prefix(cache[number]) for number in range(len(plain.blocks))])

    def _prefix(self, layer: LayerCache) -> tuple[Parameter, Parameter]:
        """A layer's keys and values of the prompt.  (G, P, K), (G, P, J)"""
        assert layer.keys is not None and layer.values is not None
        keys, values = (Parameter(array[0, :, : self.count].copy()) for array in (layer.keys, layer.values))
        return keys, values


WITH_CACHE = "Write with model.as_prefix(), which computes the same and has a cache."


def prompt_tuned(model: Decoder, config: PromptTuningConfig, *, rng: np.random.Generator) -> PromptModel:
    """The model with a new prompt, and all else frozen; its parameters are the given model's, frozen there too.

    A new vector is drawn from N(0, 1), as in peft, where there are no init_ids. Raises ArgumentError for what is no
    decoder, and where no room is left for a text.
    """
    if not isinstance(model, Decoder):
        raise ArgumentError("model", "a decoder, as GPT or Llama", type(model).__name__)
    table = model.token_embedding.weight
    prompt = init.normal(rng, (config.num_virtual_tokens, table.shape[1]), 1.0, table.dtype)
    if config.init_ids:
        ids = np.resize(np.array(config.init_ids, np.int64), config.num_virtual_tokens)
        check_token_ids(ids, model.vocab_size)
        prompt = Parameter(table.data[to_device_of(ids, table.data)])
    return PromptModel(model, prompt).to(model.device)
