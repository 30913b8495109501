"""A run of `tgl train`: the model that a configuration describes, from the start or from where it stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.backend import check_device
from tinygrad_llm.errors import CheckpointError, ConfigError
from tinygrad_llm.models.gpt import GPT
from tinygrad_llm.models.hugging_face import from_hugging_face
from tinygrad_llm.tokenizer import Tokenizer, tokenizer_from_dict
from tinygrad_llm.train.checkpoint import Checkpoint, exists, load_checkpoint
from tinygrad_llm.train.config import FREE_TO_CHANGE, TrainConfig, config_from_dict
from tinygrad_llm.train.data import load_corpus
from tinygrad_llm.train.precision import check_precision
from tinygrad_llm.train.trainer import Trainer
from tinygrad_llm.train.workers import worker_count


def start_run(config: TrainConfig, out: Path) -> Trainer:
    """A fresh run.  Raises ConfigError where `out` holds one already: nothing saved is ever overwritten."""
    check_precision(config.precision, check_device(config.device), config.dtype)
    if exists(out / "checkpoint" / "last"):
        next_step = "Go on with --resume, or choose another --out."
        raise ConfigError("out", "a folder without a run", str(out), next_step)
    corpus = load_corpus(config)
    rng = np.random.default_rng(config.seed)
    model = GPT(config.model(corpus.tokenizer.vocab_size), rng=rng, dtype=np.dtype(config.dtype))
    return Trainer(config, corpus, model, out, worker_count(config.threads, config.batch_size))


def resume_run(out: Path, given: dict[str, Any]) -> Trainer:
    """Goes on from checkpoint/last; `given` are the flags of this call.

    Raises CheckpointError where there is nothing to go on from, ConfigError where a flag would make it another run.
    """
    saved = load_checkpoint(out / "checkpoint" / "last")
    config = config_from_dict(saved.document("run")["config"])
    changed = {k: v for k, v in given.items() if getattr(config, k) != v and k not in FREE_TO_CHANGE}
    if changed:
        was = {k: getattr(config, k) for k in changed}
        raise ConfigError("--resume", f"the run's own {was}", changed, "Leave these flags out, or start a new --out.")
    config = replace(config, **{k: v for k, v in given.items() if k in FREE_TO_CHANGE})
    corpus = load_corpus(config, tokenizer_of(saved))
    # "auto" stays what it was: resuming is bit-identical only with the same number of threads
    threads = saved.document("state")["threads"]
    threads = threads if config.threads == "auto" else worker_count(config.threads, config.batch_size)
    trainer = Trainer(config, corpus, model_of(saved), out, threads)
    trainer.restore(saved)
    return trainer


def model_of(saved: Checkpoint) -> GPT:
    """The model in a checkpoint of a run, with the precision and the biases that the run has."""
    config = config_from_dict(saved.document("run")["config"])
    model = from_hugging_face(saved.document("config"), saved.group("model"), np.dtype(config.dtype))
    if model.config != config.model(model.vocab_size):
        next_step = "Its documents contradict one another: was one altered?"
        raise CheckpointError("checkpoint", config.model(model.vocab_size), model.config, next_step)
    return model


def tokenizer_of(saved: Checkpoint) -> Tokenizer:
    """The tokenizer in a checkpoint of a run; earlier versions saved it under Hugging Face's name."""
    earlier = "tgl_tokenizer" not in saved.documents and "tokenizer" in saved.documents
    return tokenizer_from_dict(saved.document("tokenizer" if earlier else "tgl_tokenizer"))
