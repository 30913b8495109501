"""What a run of alignment does, whichever its method: a loss, batches for it, and what is known on lines held out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_llm.align.corpus import Source
from tinygrad_llm.align.data import Encoder
from tinygrad_llm.align.loss import AlignmentLoss
from tinygrad_llm.align.settings import AlignConfig
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.train.trainer import Contents, Judgement

PAD = 0
"""Any id: nobody looks at it."""


class Task(ABC):
    """policy          the model that answers, and learns; a rating model is built on it.
    model           what is trained: the policy, or a model around it.
    loss, source    of a batch, and batches[n].
    examples, held  encoded lines to learn from, and those held out.
    """

    model: Any
    loss: AlignmentLoss

    def __init__(
        self, config: AlignConfig, policy: Any, encoder: Encoder, examples: Sequence[Any], held: Sequence[Any]
    ) -> None:
        self.config, self.policy, self.encoder = config, policy, encoder
        self.examples, self.held = examples, held

    @property
    @abstractmethod
    def source(self) -> Source:
        """batches[n]"""

    @abstractmethod
    def judge(self) -> Judgement:
        """What is known of the model on the lines held out."""

    @abstractmethod
    def state(self) -> Contents:
        """What a checkpoint needs besides the policy: documents, and groups of arrays."""

    @abstractmethod
    def restore(self, saved: Any) -> None:
        """Takes that back from a checkpoint."""

    def answer(self) -> tuple[str, str]:
        """The first prompt held out, and the policy's likeliest answer to it."""
        prompt, tokenizer, end = self.held[0].prompt, self.encoder.tokenizer, self.encoder.end()
        stop = end if len(end) == 1 else ()
        count = self.config.answer_tokens
        written = generate(self.policy, [prompt], count, Sampler(greedy=True), np.random.default_rng(0), stop_ids=stop)
        return tokenizer.decode(prompt), tokenizer.decode(written.tokens[0])
