"""Texts that a model reads on with a cache: what sampling and beam search have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.backend import Array, to_device_of
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate.cpu_step import CpuStep, cpu_step
from tinygrad_llm.generate.gpu_step import gpu_step
from tinygrad_llm.generate.text import Text
from tinygrad_llm.models.base import LanguageModel


class Reader:
    """A batch of texts, and the logits of the token that follows each.

    Prompts are read at once, padded at the right; after that every token costs one position. A model with a block_size
    sees at most that many tokens: of a longer prompt the last ones, and where a text has filled the block, the cache of
    that text is emptied and refilled with the last half of the block ("crop and refill").

    texts   the ids of each row, prompt and what was fed since, each a `Text`.
    logits  (B, V), of the model's dtype, on the model's device; `feed` overwrites them.
    """

    def __init__(self, model: LanguageModel, prompts: Sequence[Sequence[int]]) -> None:
        for prompt in prompts:
            ids = np.asarray(prompt)
            if not ids.size:
                raise ArgumentError("prompt", "at least one token", "none", "Start with a line end: '\\n'.")
            if ids.ndim != 1 or ids.dtype.kind not in "iu":
                raise ArgumentError("prompt", "token ids, whole numbers", repr(prompt)[:60])
        self.model, self.texts = model, [Text([int(token) for token in prompt], len(prompt)) for prompt in prompts]
        self.cache = model.new_cache(len(prompts))
        self.step = self._fast_step()
        self.logits = self._first_logits()

    def room(self) -> int | None:
        """How many tokens can be fed before a text is cropped; None for any number."""
        longest = self.model.block_size
        return None if longest is None else longest - self.cache.longest

    def feed(self, ids_B: Array) -> None:
        """Reads one more token of each text, ids on the host or on the model's device; `note` tells what they were."""
        if self.room() == 0:
            self._refill()
        if self.step is not None:
            self.logits = self.step(ids_B, self.cache)
            return
        with no_grad():
            self.logits = self.model.next_logits(ids_B[:, None], cache=self.cache).data

    def note(self, ids_B: np.ndarray) -> None:
        """Adds ids, on the host, to the texts."""
        for text, token in zip(self.texts, ids_B):
            text.append(int(token))

    def keep(self, rows: Sequence[int] | np.ndarray) -> None:
        """Goes on with these rows alone, in this order; a row may be there several times."""
        self.texts = [Text(self.texts[row], self.texts[row].start) for row in rows]
        self.cache = self.cache.select(rows)
        same = isinstance(self.step, CpuStep)
        self.step = self.step.resized(len(self.texts)) if same else self._fast_step()
        self.logits = self.logits[to_device_of(np.asarray(rows, np.int64), self.logits)]

    def _fast_step(self) -> Any:
        """The model's own step for one token, for this number of texts; None where it has none."""
        model = self.model.behind_a_prompt()
        return cpu_step(model, len(self.texts)) or gpu_step(model, len(self.texts))

    def _first_logits(self) -> Array:
        """Logits after the prompts; the CPU's step does for prompts of one token, such as a line end."""
        plain = self.model.behind_a_prompt() is self.model
        if plain and isinstance(self.step, CpuStep) and all(len(text) == 1 for text in self.texts):
            return self.step.first(np.array(self.texts)[:, 0], self.cache)
        return self._read(self.cache, self.texts, self.model.block_size)

    def _read(self, cache: Any, texts: Sequence[Sequence[int]], longest: int | None) -> Array:
        """Logits after the last `longest` tokens of each text, all of which go into the cache."""
        texts = [text if longest is None else text[-longest:] for text in texts]
        lengths = np.array([len(text) for text in texts], np.int64)
        tokens = np.zeros((len(texts), int(lengths.max(initial=1))), np.int64)
        for row, text in zip(tokens, texts):
            row[: len(text)] = text
        with no_grad():
            logits = self.model.next_logits(tokens, lengths=lengths, cache=cache).data
        cache.crop(lengths)
        return logits

    def _refill(self) -> None:
        """Texts that have filled the block are read again from the middle of the block on."""
        longest = self.model.block_size
        assert longest is not None
        rows = np.flatnonzero(self.cache.lengths >= longest)
        kept = longest // 2
        part = self.cache.fresh(rows)
        if kept:  # the last token has been noted already and is about to be fed
            self._read(part, [self.texts[row][-kept - 1 : -1] for row in rows], None)
        self.cache.put(rows, part)
