"""What all decoder-only transformers here share: an embedding, blocks one after the other, a last norm, and a head."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.nn import Dropout, Embedding, KVCache, LayerNorm, Linear, RMSNorm, Rng, Routing, TransformerBlock


class Decoder(LanguageModel):
    """logits = head(norm(blocks(embedding))).  (B, T) integers -> (B, T, V)

    A subclass makes the layers below, and says how tokens are embedded. Where its configuration says `tied`, the head
    is the token embedding's own table, and there is no `output`.
    """

    config: Any
    token_embedding: Embedding
    dropout: Dropout
    blocks: list[TransformerBlock]
    norm: LayerNorm | RMSNorm
    output: Linear

    @abstractmethod
    def embedded(self, tokens: Array, positions: Any, cache: KVCache | None) -> Tensor:
        """What the first block reads, before dropout.  (B, T) -> (B, T, D)"""

    def hidden(
        self,
        tokens: Any,
        *,
        mask: Any = None,
        positions: Any = None,
        cache: KVCache | None = None,
        rng: Rng | None = None,
        dtype: Any = None,
        routed: list[Routing] | None = None,
    ) -> Tensor:
        """The residual stream after the last norm.  (B, T) -> (B, T, D); see LanguageModel.

        routed  a list, to which each layer of experts adds what its router said.
        """
        tokens = self._token_ids(tokens, 0 if cache is None else cache.longest)
        x = self.embedded(tokens, positions, cache)
        return self.read(x, mask=mask, positions=positions, cache=cache, rng=rng, dtype=dtype, routed=routed)

    def read(
        self,
        x: Tensor,
        *,
        mask: Any = None,
        positions: Any = None,
        cache: KVCache | None = None,
        rng: Rng | None = None,
        dtype: Any = None,
        routed: list[Routing] | None = None,
    ) -> Tensor:
        """The same of what stands for the tokens: x is as `embedded` gives it.  (B, T, D) -> (B, T, D)"""
        x = self.dropout(x if dtype is None else x.astype(dtype), rng)
        for number, block in enumerate(self.blocks):
            layer = None if cache is None else cache[number]
            x = block(x, rng, mask=mask, positions=positions, cache=layer, routed=routed)
        if cache is not None:
            cache.advance(x.shape[1])
        return self.norm(x)

    def head(self) -> tuple[Tensor, None]:
        """See LanguageModel."""
        return (self.token_embedding.weight if self.config.tied else self.output.weight), None

    def new_cache(self, batch: int, capacity: int = 64) -> KVCache:
        """See LanguageModel."""
        return KVCache(self.config.n_layer, batch, capacity=min(capacity, self.config.block_size))
