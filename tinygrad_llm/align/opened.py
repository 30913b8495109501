"""A reward model that `tgl align --method reward` has made, as one function from texts to numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.align.data import Encoder
from tinygrad_llm.align.reward import RewardModel
from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.finetune.opened import FINETUNE, assign, checkpoint_in, rebuilt
from tinygrad_llm.tokenizer import TEMPLATES
from tinygrad_llm.tokenizer.chat import Message
from tinygrad_llm.train.checkpoint import Checkpoint
from tinygrad_llm.train.run import tokenizer_of

SCORE = "score"
"""The group of arrays, and the parameter, of what reads a number off a text."""


class Rater:
    """rater(dialogues, answers, ended) -> (B,): how good each answer is.

    dialogues  messages up to where the answer begins.
    ended      whether an answer came to its end, and was not cut.
    """

    def __init__(self, model: RewardModel, encoder: Encoder) -> None:
        self.model, self.encoder = model, encoder

    def __call__(
        self, dialogues: Sequence[Sequence[Message]], answers: Sequence[str], ended: Sequence[bool]
    ) -> np.ndarray:
        prompts = [self.encoder.prompt(messages) for messages in dialogues]
        ids = [self.encoder.answer(text, ended=bool(end)) for text, end in zip(answers, ended)]
        return self.model.rewards(prompts, ids)


def open_reward(path: str | Path, base: str | Path | None = None) -> Rater:
    """From the folder of a run (its best checkpoint, else its last), or from a checkpoint.

    base  the model below an adapter, where it is no longer where it was.

    Raises CheckpointError for anything else.
    """
    folder = Path(os.path.abspath(path))
    saved = checkpoint_in(folder)
    if saved is not None and not saved.documents.get(FINETUNE, {}).get("writes", True):
        return _rater(saved, folder, base)
    next_step = "Train one: tgl align MODEL --method reward --data FILE.jsonl"
    raise CheckpointError(str(folder), "a run of tgl align --method reward", "none", next_step)


def _rater(saved: Checkpoint, folder: Path, base: str | Path | None) -> Rater:
    decoder, _ = rebuilt(saved, folder, base)
    model = RewardModel(decoder)
    assign_score(model, saved)
    template: Any = TEMPLATES[saved.document(FINETUNE)["template"]]
    return Rater(model, Encoder(tokenizer_of(saved), template, decoder.block_size))


def assign_score(model: Any, saved: Checkpoint) -> None:
    """Gives a ScalarModel the row of weights that a checkpoint has."""
    assign({SCORE: model.score}, saved.group(SCORE), saved.path)
