"""A run of `tgl train`: the model that a configuration describes, from the start or from where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tinygrad_llm.backend import check_device
from tinygrad_llm.errors import CheckpointError, ConfigError, DataError, TinygradLLMError, TokenError
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.models.hugging_face import from_hugging_face
from tinygrad_llm.models.llama import Llama
from tinygrad_llm.tokenizer import Tokenizer, tokenizer_from_dict
from tinygrad_llm.train.checkpoint import Checkpoint, load_checkpoint
from tinygrad_llm.train.config import FREE_TO_CHANGE, TrainConfig, config_from_dict
from tinygrad_llm.train.data import Corpus, fingerprint, is_of, load_corpus, text_candidates
from tinygrad_llm.train.lock import has_run, newest
from tinygrad_llm.train.precision import check_precision
from tinygrad_llm.train.step import couples_examples
from tinygrad_llm.train.trainer import Trainer
from tinygrad_llm.train.workers import worker_count

Settings = TypeVar("Settings", bound=Any)
THE_TEXT = "Name the text that the run learned from: --text FILE."


def start_run(config: TrainConfig, out: Path | None) -> Trainer:
    """A fresh run.  Raises ConfigError where `out` holds one already: nothing saved is ever overwritten.

    Where `out` is None the trainer must be given a folder before it runs: `move_to`.
    """
    check_fresh(config, out)
    corpus = load_corpus(config)
    rng = np.random.default_rng(config.seed)
    sizes, dtype = config.model(corpus.tokenizer.vocab_size), np.dtype(config.dtype)
    model = GPT(sizes, rng=rng, dtype=dtype) if isinstance(sizes, GPTConfig) else Llama(sizes, rng=rng, dtype=dtype)
    return Trainer(config, corpus, model, out, threads_for(model, config))


def check_fresh(config: Any, out: Path | None) -> None:
    """Raises ConfigError for a folder that has a run, and for a precision that the device has not."""
    check_precision(config.precision, check_device(config.device), config.dtype)
    if out is not None and has_run(out):
        next_step = "Go on with --resume, or choose another --out."
        raise ConfigError("out", "a folder without a run", str(out), next_step)


def threads_for(model: Any, config: Any) -> int:
    """How many threads share a batch: by themselves one where the loss is no sum over its examples."""
    if config.threads == "auto" and couples_examples(model.loss):
        return 1
    return worker_count(config.threads, config.batch_size)


def changed(config: Settings, given: Mapping[str, Any], free: AbstractSet[str], moved: AbstractSet[str]) -> Settings:
    """A run's configuration with what is given anew.  Raises ConfigError for what would make it another run.

    free, moved  names of what may be set anew; of what may be given, but only says where something is now.
    """
    others = {k: v for k, v in given.items() if getattr(config, k) != v and k not in free | moved}
    if others:
        was = ", ".join(f"{k} = {getattr(config, k)}" for k in others)
        raise ConfigError("--resume", f"the run's own {was}", others, "Leave these flags out, or start a new --out.")
    return replace(config, **{k: v for k, v in given.items() if k in free})


def resume_run(out: Path, given: dict[str, Any]) -> Trainer:
    """Goes on from checkpoint/last, or checkpoint/best where that is all there is; `given` are the flags of this call.

    The text is the one with the run's checksum: where it was, or there as seen from `out`, or where `given` says.

    Raises CheckpointError where there is nothing to go on from, or no such text; ConfigError where a flag would make it
    another run.
    """
    saved = load_checkpoint(newest(out))
    if "finetune" in saved.documents:
        kind = "align" if "settings" in saved.documents["finetune"] else "finetune"
        next_step = f"Go on with: tgl {kind} --resume --out {out}"
        raise ConfigError("--resume", "a run of tgl train", f"one of tgl {kind}", next_step)
    config = config_from_dict(saved.document("run")["config"])
    config = changed(config, given, FREE_TO_CHANGE, set() if config.text is None else {"text"})
    config, corpus = _corpus_of(saved, config, given.get("text"), out)
    model = model_of(saved)
    # "auto" stays what it was: resuming is bit-identical only with the same number of threads
    threads = saved.document("state")["threads"]
    threads = threads if config.threads == "auto" else threads_for(model, config)
    trainer = Trainer(config, corpus, model, out, threads)
    trainer.restore(saved)
    return trainer


def _corpus_of(saved: Checkpoint, config: TrainConfig, given: str | None, out: Path) -> tuple[TrainConfig, Corpus]:
    """The run's text by its checksum, wherever it is now, and the configuration that names it there."""
    state, tokenizer = saved.document("state"), tokenizer_of(saved)
    candidates = text_candidates(config.text, given, state.get("text_at", ()), out)
    problems: list[TinygradLLMError] = []
    for path in candidates:
        there = replace(config, text=path)
        try:
            corpus = load_corpus(there, tokenizer)
        except (DataError, TokenError) as error:
            changed = "Was the text changed? " * isinstance(error, TokenError)
            problems.append(type(error)(error.name, error.expected, error.got, changed + THE_TEXT))
            continue
        if is_of(corpus, state["corpus"]):
            return there, corpus
        got = f"{fingerprint(corpus)} in {path or 'the generated one'}"
        next_step = f"Was the text changed? {THE_TEXT}"
        problems.append(CheckpointError("text", f"the corpus of the run, {state['corpus']}", got, next_step))
    raise problems[0]


def model_of(saved: Checkpoint) -> Decoder:
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
