"""Small models with each kind of cache there is: what the tests of caches and of writing share."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.models import (
    GPT,
    RNNLM,
    EncoderDecoder,
    EncoderDecoderConfig,
    GPTConfig,
    Llama,
    LlamaConfig,
    RNNLMConfig,
)  # fmt: skip
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.nn import Attention, Embedding, KVCache, RMSNorm, SwiGLU, TransformerBlock

VOCABULARY, LONGEST, WINDOW = 7, 24, 3
KINDS = (
    "gpt",
    "untied",
    "windowed",
    "window in the cache",
    "llama",
    "half windowed",
    "experts",
    "rnn",
    "lstm",
    "decoder",
)
LLAMAS: dict[str, dict[str, Any]] = {
    "llama": {"qk_norm": True},
    "half windowed": {"window_from": 1},
    "experts": {"n_experts": 3, "experts_per_token": 2},
}
RECURRENT = ("rnn", "lstm")
EQUAL = {"rtol": 1e-10, "atol": 1e-10}


class Windowed(LanguageModel):
    """What GPT is not: RoPE, grouped heads, RMSNorm, SwiGLU, and a window on the past; its cache may have it, too."""

    def __init__(self, cache_window: int | None, rng: np.random.Generator, dtype: Any = np.float64) -> None:
        options: dict[str, Any] = {"causal": True, "window": WINDOW, "rope_base": 30.0, "rng": rng, "dtype": dtype}
        self.vocab_size, self.block_size, self.cache_window = VOCABULARY, None, cache_window
        self.token_embedding = Embedding(VOCABULARY, 8, rng=rng, dtype=dtype)
        self.blocks = [
            TransformerBlock(
                RMSNorm(8, dtype=dtype),
                Attention(8, 4, 2, **options),
                RMSNorm(8, dtype=dtype),
                SwiGLU(8, 10, rng=rng, dtype=dtype),
            )
            for _ in range(2)
        ]

    def hidden(self, tokens, *, mask=None, positions=None, cache=None, rng=None, dtype=None):
        x = self.token_embedding(self._token_ids(tokens, 0 if cache is None else int(cache.lengths.max(initial=0))))
        x = x if dtype is None else x.astype(dtype)
        for number, block in enumerate(self.blocks):
            layer = None if cache is None else cache[number]
            x = block(x, rng, mask=mask, positions=positions, cache=layer)
        if cache is not None:
            cache.advance(x.shape[1])
        return x

    def head(self):
        return self.token_embedding.weight, None

    def new_cache(self, batch, capacity=64):
        return KVCache(2, batch, capacity=capacity, window=self.cache_window)


def redrawn(model: Any, seed: int) -> Any:
    """The model with other weights: norms that are not one, biases that are not zero, opinions."""
    rng = np.random.default_rng([seed, 1])
    for p in model.parameters():
        p.assign(rng.normal(0, 0.6, p.shape) if p.ndim > 1 else rng.uniform(0.5, 1.5, p.shape))
    return model


def encoder_decoder(seed: int, block_size: int = LONGEST, dtype: Any = np.float64) -> EncoderDecoder:
    """With sources of other tokens than the padding, 1."""
    config = EncoderDecoderConfig(VOCABULARY, block_size, 1, 2, 2, 8, 10)
    return redrawn(EncoderDecoder(config, rng=np.random.default_rng(seed), dtype=dtype), seed)


def language_model(kind: str, seed: int, block_size: int = LONGEST, dtype: Any = np.float64) -> LanguageModel:
    """All but the decoder, which needs a source."""
    rng = np.random.default_rng(seed)
    if kind in ("gpt", "untied"):
        config = GPTConfig(VOCABULARY, block_size, 2, 2, 8, tied=kind == "gpt")
        return redrawn(GPT(config, rng=rng, dtype=dtype), seed)
    if kind in LLAMAS:
        options = LLAMAS[kind]
        llama = LlamaConfig(VOCABULARY, block_size, 2, 4, 8, 10, n_kv_head=2, window=WINDOW, rope_base=30.0, **options)
        return redrawn(Llama(llama, rng=rng, dtype=dtype), seed)
    if kind in ("windowed", "window in the cache"):
        return redrawn(Windowed(WINDOW if kind == "window in the cache" else None, rng, dtype), seed)
    return redrawn(RNNLM(RNNLMConfig(VOCABULARY, 6, 8, 2, kind), rng=rng, dtype=dtype), seed)


class Texts:
    """A model, its cache, and what each row has read: logits of a row can be computed without a cache.

    sources  for each row the source that its decoder was given; None for the other kinds.
    """

    def __init__(self, kind: str, seed: int, rows: int, capacity: int) -> None:
        rng = np.random.default_rng([seed, 2])
        if kind == "decoder":
            self.reader, self.count = encoder_decoder(seed), rows
            self.all_sources = [list(rng.integers(2, VOCABULARY, n)) for n in rng.integers(1, 6, rows)]
            padded = np.ones((rows, max(map(len, self.all_sources))), int)
            for row, source in zip(padded, self.all_sources):
                row[: len(source)] = source
            self.model: LanguageModel = self.reader.given(padded)
            self.sources: list = list(self.all_sources)
        else:
            self.model, self.sources = language_model(kind, seed), [None] * rows
            self.reader = None
        self.cache = self.model.new_cache(rows, capacity)
        self.texts: list[list[int]] = [[] for _ in range(rows)]

    def whole(self, row: int) -> np.ndarray:
        """Logits at every position of the row's text, by itself and without a cache.  (T, V)"""
        model: Any = self.model if self.reader is None else self.reader.given(np.array([self.sources[row]]))
        return model(np.array([self.texts[row]])).data[0]


def read(found: Texts, tokens) -> np.ndarray:
    """Reads on in every row; logits (B, T, V)."""
    with no_grad():
        logits = found.model(np.asarray(tokens), cache=found.cache).data
    for text, row in zip(found.texts, tokens):
        text += [int(t) for t in row]
    return logits


def check(found: Texts, logits: np.ndarray) -> None:
    """The last positions of each row are those of the row's whole text."""
    for row, text in enumerate(found.texts):
        assert found.cache.lengths[row] == len(text)
        np.testing.assert_allclose(logits[row], found.whole(row)[-logits.shape[1] :], **EQUAL)


def without_a_cache(lm, prompt, count, block, log_probs=False):
    """The definition: the whole text in, the likeliest token out; of a full block the last half stays."""
    seen, written, found = prompt if block is None else prompt[-block:], [], []
    for _ in range(count):
        logits = lm(np.array([seen])).data[0, -1]
        token = int(logits.argmax())
        written.append(token)
        found.append(logits[token] - logits.max() - np.log(np.exp(logits - logits.max()).sum()))
        if block is not None and len(seen) == block:
            seen = seen[block - block // 2 :]
        seen = [*seen, token]
    return (written, found) if log_probs else written
