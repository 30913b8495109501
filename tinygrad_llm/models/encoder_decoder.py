"""The whole transformer: an encoder reads one text, a decoder writes another and asks the encoder as it goes.

Vaswani et al., "Attention Is All You Need", 2017, in the form of BART (Lewis et al., 2020), whose files open here. What
differs from the paper: positions are learned, not sines; the sum of word and position is normed; gelu for relu.
What differs from our GPT: the norm stands after the sum (post-norm), and there is a second text.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, as_array
from tinygrad_llm.errors import ConfigError, ShapeError
from tinygrad_llm.models.sizes import check_sizes, check_transformer
from tinygrad_llm.nn import Dropout, Embedding, LayerNorm, Linear, Module, MultiHeadAttention, Parameter, Rng
from tinygrad_llm.shapes import check_shape

OFFSET = 2
"""BART's table of positions begins with two rows that nothing reads, a leftover of fairseq's numbering."""
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": lambda x: ops.gelu(x),
    "gelu_new": lambda x: ops.gelu(x, approximate="tanh"),
    "relu": lambda x: ops.relu(x),
}


@dataclass(frozen=True)
class EncoderDecoderConfig:
    """vocab_size V of both texts, block_size the longest of either, layers of each half, n_head H, n_embd D, n_hidden
    F.

    dropout          at every place of the paper's: embeddings, attention weights, F, and what each part adds.
    activation       between D -> F and F -> D: "gelu", "gelu_new" (with tanh) or "relu".
    scale_embedding  multiplies the words' vectors with sqrt(D) (Vaswani et al., section 3.4).
    init_std         standard deviation of the first weights.
    pad_id, start_id, end_id  the tokens that fill up, begin and end a text; BART's where not given.
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
        if self.activation not in ACTIVATIONS:
            raise ConfigError("activation", " or ".join(ACTIVATIONS), repr(self.activation))
        for name in ("pad_id", "start_id", "end_id"):
            if not 0 <= getattr(self, name) < self.vocab_size:
                raise ConfigError(name, f"a token id, 0 to {self.vocab_size - 1}", getattr(self, name))


class Layer(Module):
    """One layer of either half. Each part adds to the stream, and the sum is normed: x = norm(x + part(x)).

    crosses  whether it has the part that asks the other text: then it is the decoder's.
    """

    def __init__(self, config: EncoderDecoderConfig, crosses: bool, rng: np.random.Generator, dtype: Any) -> None:
        c = config
        options: dict[str, Any] = {"rng": rng, "std": c.init_std, "dtype": dtype}
        self.self_attn = MultiHeadAttention(c.n_embd, c.n_head, dropout=c.dropout, **options)
        self.self_attn_layer_norm = LayerNorm(c.n_embd, dtype=dtype)
        if crosses:
            self.encoder_attn = MultiHeadAttention(c.n_embd, c.n_head, dropout=c.dropout, **options)
            self.encoder_attn_layer_norm = LayerNorm(c.n_embd, dtype=dtype)
        self.fc1 = Linear(c.n_embd, c.n_hidden, **options)
        self.fc2 = Linear(c.n_hidden, c.n_embd, **options)
        self.final_layer_norm = LayerNorm(c.n_embd, dtype=dtype)
        self.dropout, self.bend = Dropout(c.dropout), ACTIVATIONS[c.activation]

    def ask_itself(self, x: Tensor, mask: Any, causal: bool, rng: Rng | None) -> Tensor:
        """Positions exchange what they know."""
        return self.self_attn_layer_norm(x + self.self_attn(x, mask=mask, causal=causal, rng=rng))

    def ask_memory(self, x: Tensor, memory: Tensor, mask: Any, rng: Rng | None) -> Tensor:
        """Each position asks the other text."""
        return self.encoder_attn_layer_norm(x + self.encoder_attn(x, memory, mask, rng=rng))

    def think(self, x: Tensor, rng: Rng | None) -> Tensor:
        """Each position by itself, through F."""
        hidden = self.dropout(self.bend(self.fc1(x)), rng)
        return self.final_layer_norm(x + self.dropout(self.fc2(hidden), rng))


class Stack(Module):
    """One half: positions, the norm of the embeddings, and layers."""

    def __init__(self, config: EncoderDecoderConfig, crosses: bool, rng: np.random.Generator, dtype: Any) -> None:
        c = config
        self.embed_positions = Embedding(c.block_size + OFFSET, c.n_embd, rng=rng, std=c.init_std, dtype=dtype)
        self.layernorm_embedding = LayerNorm(c.n_embd, dtype=dtype)
        count = c.n_decoder_layer if crosses else c.n_encoder_layer
        self.layers = [Layer(c, crosses, rng, dtype) for _ in range(count)]
        self.dropout = Dropout(c.dropout)

    def embed(self, words: Tensor, rng: Rng | None) -> Tensor:
        """The stream that the first layer reads.  (B, T, D) -> (B, T, D)"""
        positions = self.embed_positions.weight[OFFSET : OFFSET + words.shape[1]]
        return self.dropout(self.layernorm_embedding(words + positions), rng)


class EncoderDecoder(Module):
    """logits = head(decoder(target, encoder(source))).  (B, S), (B, T) integers -> (B, T, V)

    One table of words serves both texts and the head. Tokens equal to pad_id are padding in the source; a `mask` of
    booleans (B, S), true where there is a word, says otherwise. The target needs no mask: what stands after its end is
    later, and nothing looks at what is later.
    """

    def __init__(self, config: EncoderDecoderConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        c = self.config = config
        self.shared = Embedding(c.vocab_size, c.n_embd, rng=rng, std=c.init_std, dtype=dtype)
        self.encoder = Stack(c, False, rng, dtype)
        self.decoder = Stack(c, True, rng, dtype)
        # a buffer of BART's files, zero in most of them, and never learned
        self.final_logits_bias = Parameter(np.zeros((1, c.vocab_size), dtype), requires_grad=False)

    def __call__(self, source: Any, target: Any, mask: Any = None, rng: Rng | None = None) -> Tensor:
        """Logits of the word after each position of the target.  Dropout is active when an rng is given."""
        mask = self.words_of(source) if mask is None else mask
        return self.decode(target, self.encode(source, mask, rng), mask, rng)

    def words_of(self, source: Any) -> np.ndarray:
        """True where the source has a word, false where it is padding.  (B, S)"""
        return _ids(source) != self.config.pad_id

    def encode(self, source: Any, mask: Any = None, rng: Rng | None = None) -> Tensor:
        """The source, read: the memory that the decoder asks.  (B, S) -> (B, S, D)"""
        mask = self.words_of(source) if mask is None else mask
        x = self.encoder.embed(self._words("source", source), rng)
        for layer in self.encoder.layers:
            x = layer.think(layer.ask_itself(x, mask, False, rng), rng)
        return x

    def decode(self, target: Any, memory: Tensor, mask: Any = None, rng: Rng | None = None) -> Tensor:
        """Logits of the word after each position of the target.  (B, T), (B, S, D), (B, S) -> (B, T, V)

        The memory does not say where it is padded: without a mask all of it is read.
        """
        x = self.decoder.embed(self._words("target", target), rng)
        for layer in self.decoder.layers:
            x = layer.ask_memory(layer.ask_itself(x, None, True, rng), memory, mask, rng)
            x = layer.think(x, rng)
        return ops.linear(x, self.shared.weight, self.final_logits_bias.reshape(-1))

    def loss(
        self,
        source: Any,
        target_in: Any,
        target_out: Any,
        mask: Any = None,
        rng: Rng | None = None,
        divisor: float | None = None,
    ) -> Tensor:
        """The mean of -ln p(target_out), in nats a word, over those that are not ignored.  -> ()

        target_in   (B, T), the start and then the text: what has been written.
        target_out  (B, T), the text and then the end: what comes next; ops.IGNORE where it does not count.
        divisor     divides the sum instead of the count, for parts of a batch.
        """
        return ops.cross_entropy(self(source, target_in, mask, rng), target_out, divisor=divisor)

    def looks(self, source: Any, target: Any) -> np.ndarray:
        """Where the decoder looks as it reads each word of the target: the shares of every layer's cross-attention.

        (B, S), (B, T) -> (layers, B, H, T, S). Row t is what it asks before it writes the word after position t.
        """
        mask = self.words_of(source)
        memory = self.encode(source, mask)
        x, found = self.decoder.embed(self._words("target", target), None), []
        for layer in self.decoder.layers:
            x = layer.ask_itself(x, None, True, None)
            found.append(layer.encoder_attn.weights(x, memory, mask).numpy())
            x = layer.think(layer.ask_memory(x, memory, mask, None), None)
        return np.stack(found)

    def _words(self, name: str, tokens: Any) -> Tensor:
        """The words' vectors, scaled where the configuration says so.  (B, T) -> (B, T, D)"""
        tokens, c = _ids(tokens), self.config
        time = check_shape(name, tokens, "BT", "Put a single text into a batch of one: tokens[None].")["T"]
        if not 0 < time <= c.block_size:
            raise ShapeError(
                name, f"1 to block_size = {c.block_size} positions", time, "Shorten it, or train with a larger block."
            )
        words = self.shared(tokens)
        return words * math.sqrt(c.n_embd) if c.scale_embedding else words


def _ids(tokens: Any) -> Array:
    return as_array(tokens.data if isinstance(tokens, Tensor) else tokens)
