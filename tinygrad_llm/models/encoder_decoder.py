"""The whole transformer: an encoder reads one text, and a decoder writes another with cross-attention to the first.

Vaswani et al., "Attention Is All You Need", 2017, in the form of BART (Lewis et al., 2020), whose files open here. What
differs from the paper: positions are learned, not sines; the sum of token and position is normalized; GELU for ReLU.
What differs from our GPT: the norm stands after the sum (post-norm), and there is a second text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array
from tinygrad_llm.models.base import Batch, LanguageModel, last_of, position_rows, token_ids
from tinygrad_llm.models.sizes import check_activation, check_sizes, check_token_ids, check_transformer
from tinygrad_llm.nn import (
    MLP,
    Attention,
    Buffer,
    Cache,
    Dropout,
    Embedding,
    KVCache,
    LayerNorm,
    Module,
    PostNormBlock,
    Rng,
)  # fmt: skip


@dataclass(frozen=True)
class EncoderDecoderConfig:
    """vocab_size V of both texts, block_size the longest of either, layers of each half, n_head H, n_embd D, n_hidden
    F.

    dropout          at every place of the paper's: embeddings, attention weights, F, and what each part adds.
    activation       between D -> F and F -> D: "gelu", "gelu_new" (with tanh), "relu" or "silu".
    scale_embedding  multiplies the token embeddings with sqrt(D) (Vaswani et al., section 3.4).
    init_std         standard deviation of the first weights.
    pad_id, start_id, end_id  the tokens that pad, begin and end a text; BART's where not given.
    """

    vocab_size: int
    block_size: int
    n_encoder_layer: int
    n_decoder_layer: int
    n_head: int
    n_embd: int
    n_hidden: int
    dropout: float = 0.0
    activation: str = "gelu"
    scale_embedding: bool = False
    init_std: float = 0.02
    pad_id: int = 1
    start_id: int = 2
    end_id: int = 2

    def __post_init__(self) -> None:
        check_sizes(self, 7)
        check_transformer(self)
        check_activation(self)
        check_token_ids(self, "pad_id", "start_id", "end_id")


class Stack(Module):
    """One half: positions, the norm of the embeddings, and blocks; those of the decoder have cross-attention."""

    def __init__(self, config: EncoderDecoderConfig, is_decoder: bool, rng: np.random.Generator, dtype: Any) -> None:
        c = config
        self.position_embedding = Embedding(c.block_size, c.n_embd, rng=rng, std=c.init_std, dtype=dtype)
        self.embedding_norm = LayerNorm(c.n_embd, dtype=dtype)
        count = c.n_decoder_layer if is_decoder else c.n_encoder_layer
        self.blocks = [_block(c, is_decoder, rng, dtype) for _ in range(count)]
        self.dropout = Dropout(c.dropout)

    def embed(
        self, tokens: Tensor, rng: Rng | None, positions: Any = None, cache: Cache | None = None, dtype: Any = None
    ) -> Tensor:
        """The hidden states that the first block reads.  (B, T, D) -> (B, T, D)"""
        x = tokens + position_rows(self.position_embedding.weight, positions, tokens.shape[1], cache)
        return self.dropout(self.embedding_norm(x if dtype is None else x.astype(dtype)), rng)


def _block(c: EncoderDecoderConfig, is_decoder: bool, rng: np.random.Generator, dtype: Any) -> PostNormBlock:
    make: dict[str, Any] = {"rng": rng, "std": c.init_std, "out_std": c.init_std, "dropout": c.dropout, "dtype": dtype}
    own = Attention(c.n_embd, c.n_head, causal=is_decoder, **make), LayerNorm(c.n_embd, dtype=dtype)
    cross = (Attention(c.n_embd, c.n_head, **make), LayerNorm(c.n_embd, dtype=dtype)) if is_decoder else ()
    mlp = MLP(c.n_embd, c.n_hidden, activation=c.activation, hidden_dropout=c.dropout, **make)
    return PostNormBlock(*own, mlp, LayerNorm(c.n_embd, dtype=dtype), *cross)


class EncoderDecoder(Module):
    """logits = head(decoder(target, encoder(source))).  (B, S), (B, T) integers -> (B, T, V)

    One table of token embeddings serves both texts and the head. A source is padded at its right with pad_id, or has
    its `lengths` (B,) given. The target needs none: what stands after its end is later, and no position sees what is
    later.
    """

    def __init__(self, config: EncoderDecoderConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        c = self.config = config
        self.token_embedding = Embedding(c.vocab_size, c.n_embd, rng=rng, std=c.init_std, dtype=dtype)
        self.encoder = Stack(c, False, rng, dtype)
        self.decoder = Stack(c, True, rng, dtype)
        self.logits_bias = Buffer(np.zeros((1, c.vocab_size), dtype))  # zero in most of BART's files

    def __call__(self, source: Any, target: Any, lengths: Any = None, rng: Rng | None = None) -> Tensor:
        """Logits of the token after each position of the target.  Dropout is active when an rng is given."""
        return self.given(source, lengths, rng)(target, rng=rng)

    def source_lengths(self, source: Any) -> Array:
        """How many tokens each source has, padding at its right left out.  (B, S) -> (B,)"""
        return last_of(self._token_ids("source", source), self.config.pad_id)

    def encode(self, source: Any, lengths: Any = None, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """The encoder's hidden states, which the decoder attends to.  (B, S) -> (B, S, D)"""
        lengths = self.source_lengths(source) if lengths is None else lengths
        x = self.encoder.embed(self.embed_tokens("source", source), rng, dtype=dtype)
        for block in self.encoder.blocks:
            x = block(x, rng, lengths=lengths)
        return x

    def given(self, source: Any, lengths: Any = None, rng: Rng | None = None, dtype: Any = None) -> ConditionedDecoder:
        """The decoder as a language model of targets, for these sources: p(target | source)."""
        lengths = self.source_lengths(source) if lengths is None else lengths
        return ConditionedDecoder(self, self.encode(source, lengths, rng, dtype), lengths)

    def loss(self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None) -> Tensor:
        """The mean of -ln p(target), in nats a token, over those that are not ignored.  -> ()

        batch    "source" (B, S); "tokens" (B, T), the start and then the text; "targets" (B, T), the text and then the
                 end, ops.IGNORE where it does not count; "lengths" (B,) of the sources where they are not padded.
        divisor  divides the sum instead of the count, for parts of a batch.
        dtype    of the activations, that of the weights where None; the loss of bfloat16 is float32.
        """
        decoder = self.given(batch["source"], batch.get("lengths"), rng, dtype)
        targets = {name: batch[name] for name in ("tokens", "targets")}
        return decoder.loss(targets, rng=rng, divisor=divisor, dtype=dtype)

    def cross_attention_weights(self, source: Any, target: Any) -> np.ndarray:
        """The decoder's cross-attention: row t is what it attends to before it writes the token after position t.

        (B, S), (B, T) -> (layers, B, H, T, S)
        """
        lengths = self.source_lengths(source)
        memory = self.encode(source, lengths)
        x, found = self.decoder.embed(self.embed_tokens("target", target), None), []
        for block in self.decoder.blocks:
            assert block.cross_attention is not None
            inside = block.self_attention_norm(x + block.self_attention(x))
            found.append(block.cross_attention.weights(inside, memory, lengths=lengths).numpy())
            x = block(x, memory=memory, memory_options={"lengths": lengths})
        return np.stack(found)

    def embed_tokens(self, name: str, tokens: Any, cached: int = 0) -> Tensor:
        """Token embeddings, scaled where the configuration says so.  (B, T) -> (B, T, D)"""
        embedded = self.token_embedding(self._token_ids(name, tokens, cached))
        return embedded * math.sqrt(self.config.n_embd) if self.config.scale_embedding else embedded

    def _token_ids(self, name: str, tokens: Any, cached: int = 0) -> Array:
        return token_ids(tokens, self.config.block_size, cached, name)


class ConditionedDecoder(LanguageModel):
    """An encoder-decoder's decoder for given sources: a language model of the target.

    memory (B, S, D) are the encoder's hidden states, lengths (B,) how many of each count. A batch of targets has one
    row a source; for several targets of one source, `new_cache`, read the start, and `repeat` the cache.
    """

    def __init__(self, model: EncoderDecoder, memory: Tensor, lengths: Any) -> None:
        self.model, self.memory, self.lengths = model, memory, lengths
        self.vocab_size, self.block_size = model.config.vocab_size, model.config.block_size

    def hidden(
        self,
        tokens: Any,
        *,
        mask: Any = None,
        positions: Any = None,
        cache: KVCache | None = None,
        rng: Rng | None = None,
        dtype: Any = None,
    ) -> Tensor:
        """The hidden states after the last block.  (B, T) -> (B, T, D); see LanguageModel."""
        embedded = self.model.embed_tokens("target", tokens, 0 if cache is None else cache.longest)
        x = self.model.decoder.embed(embedded, rng, positions, cache, dtype)
        memory = self.memory if self.memory.dtype == x.dtype else self.memory.astype(x.dtype)
        for number, block in enumerate(self.model.decoder.blocks):
            own: dict[str, Any] = {"mask": mask}
            cross: dict[str, Any] = {"lengths": self.lengths}
            if cache is not None:
                own["cache"], cross["cache"] = cache[number], cache.cross[number]
            x = block(x, rng, memory=memory, memory_options=cross, **own)
        if cache is not None:
            cache.advance(x.shape[1])
        return x

    def head(self) -> tuple[Tensor, Tensor | None]:
        """See LanguageModel."""
        return self.model.token_embedding.weight, self.model.logits_bias.reshape(-1)

    def new_cache(self, batch: int, capacity: int = 64) -> KVCache:
        """See LanguageModel. It holds the keys and values of the sources too, once the first target was read."""
        blocks, longest = len(self.model.decoder.blocks), self.model.config.block_size
        return KVCache(blocks, batch, capacity=min(capacity, longest))
