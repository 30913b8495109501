"""A run of `tgl finetune`: what a configuration describes, from the start or from where it stopped."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from tinygrad_llm.datasets.dialogues import Dialogues, parted
from tinygrad_llm.datasets.instructions import Fault, Form, Record, read_records, told
from tinygrad_llm.datasets.packing import Example
from tinygrad_llm.errors import CheckpointError, ConfigError, DataError, TokenError
from tinygrad_llm.finetune.methods import TABLE, learned, prepared
from tinygrad_llm.finetune.opened import FINETUNE, Opened, open_base, rebuilt, weights_sum
from tinygrad_llm.finetune.settings import FREE_TO_CHANGE, FinetuneConfig, settings_from_dict
from tinygrad_llm.tokenizer import TEMPLATES, CharTokenizer, ExtendedTokenizer, Tokenizer
from tinygrad_llm.tokenizer.chat import ROLES, ChatTemplate, fitting_template
from tinygrad_llm.tokenizer.special import special_of
from tinygrad_llm.train.checkpoint import load_checkpoint
from tinygrad_llm.train.data import is_of, text_candidates
from tinygrad_llm.train.lock import newest
from tinygrad_llm.train.run import changed, check_fresh, threads_for, tokenizer_of
from tinygrad_llm.train.trainer import Contents, Trainer

Settings = TypeVar("Settings", bound=FinetuneConfig)
Say = Callable[[str], Any]
"""What is told while a run is prepared, a line at a time."""


def start_finetune(config: FinetuneConfig, out: Path | None, say: Say = print) -> Trainer:
    """A fresh run.  Raises ConfigError where `out` holds one already, DataError for lines that cannot be read.

    Where `out` is None the trainer must be given a folder before it runs: `move_to`.
    """
    check_fresh(config, out)
    check_named(config, "tgl finetune MODEL --data FILE.jsonl")
    base = open_base(str(config.model))
    records, _ = read_records(str(config.data))
    said = [message["content"].strip() for record in records for message in record.value]
    name, tokenizer = chosen_template(config, base, said, say)
    model = prepared(base.model, tokenizer.vocab_size, config)
    corpus = dialogues_of(config, tokenizer, TEMPLATES[name], model.block_size, say)
    config = _resolved(config, len(corpus.examples))
    about = {"template": name, "method": config.method, "base": reference_to(base)}
    return Trainer(config, corpus, model, out, threads_for(model, config), contents=_contents(about, base.folder))


def check_named(config: FinetuneConfig, usage: str) -> None:
    """Raises ConfigError where model or data are not named."""
    for name, what in {"model": "a model's folder", "data": "a file of JSON lines"}.items():
        if not getattr(config, name):
            raise ConfigError(name, what, "none", usage)


def resume_finetune(out: Path, given: dict[str, Any], say: Say = print) -> Trainer:
    """Goes on from checkpoint/last; `given` are the flags of this call, among them where data or model are now.

    Raises CheckpointError where there is nothing to go on from, or the data or the base are others; ConfigError where a
    flag would make it another run.
    """
    saved = load_checkpoint(newest(out))
    if FINETUNE not in saved.documents:
        next_step = f"Go on with: tgl train --resume --out {out}"
        raise ConfigError("--resume", "a run of tgl finetune", "one of tgl train", next_step)
    about = saved.document(FINETUNE)
    if "settings" in about:
        raise ConfigError("--resume", "a run of tgl finetune", "one of tgl align", f"tgl align --resume --out {out}")
    config = changed(settings_from_dict(saved.document("run")["config"]), given, FREE_TO_CHANGE, {"model", "data"})
    model, below = rebuilt(saved, out, given.get("model"))
    tokenizer, state = tokenizer_of(saved), saved.document("state")
    template = TEMPLATES[about["template"]]

    def dialogues(there: FinetuneConfig) -> Dialogues:
        return dialogues_of(there, tokenizer, template, model.block_size, say)

    config, corpus = own_data(config, state, given.get("data"), out, dialogues)
    threads = state["threads"] if config.threads == "auto" else threads_for(model, config)
    trainer = Trainer(config, corpus, model, out, threads, contents=_contents(about, below))
    trainer.restore(saved)
    return trainer


def own_data(
    config: Settings, state: Any, given: str | None, out: Path, read: Callable[[Settings], Any]
) -> tuple[Settings, Any]:
    """The run's own data by its checksum, wherever it is now, and the configuration that names it there."""
    problem: CheckpointError | None = None
    for path in text_candidates(config.data, given, state.get("text_at", ()), out):
        there = replace(config, data=path)
        corpus = read(there)
        if is_of(corpus, state["corpus"]):
            return there, corpus
        next_step = "Was it changed? Name what the run learned from: --data FILE."
        problem = problem or CheckpointError("data", "the lines of the run", f"others in {path}", next_step)
    assert problem is not None
    raise problem


def _resolved(config: FinetuneConfig, count: int) -> FinetuneConfig:
    """With what is left to the method and the data filled in."""
    steps = config.steps or max(1, math.ceil(config.epochs * count / (config.batch_size * config.accumulate)))
    return replace(config, steps=steps, lr=TABLE[config.method].lr if config.lr is None else config.lr)


def reference_to(base: Opened) -> dict[str, Any]:
    """Where the model below an adapter is, and by what it is known."""
    return {"at": [os.path.abspath(base.folder)], "sha256": weights_sum(base.folder)}


def _contents(about: dict[str, Any], base: Path | None) -> Callable[[Any], Contents]:
    def contents(model: Any) -> Contents:
        documents, arrays = learned(model, os.path.abspath(base) if base else "")
        return documents | {FINETUNE: about}, arrays

    return contents


def chosen_template(
    config: FinetuneConfig, base: Opened, said: Sequence[str], say: Say = print
) -> tuple[str, Tokenizer]:
    """The template's name, and the tokenizer with what it lacks: special tokens of the template, and letters.

    said  the contents of all messages that there are to learn from.

    "auto" is the one that the model was trained with, else the one that suits its tokenizer; but none that a line break
    ends, where messages have several lines.
    """
    name = config.template if config.template != "auto" else base.template or fitting_template(base.tokenizer)
    if config.template == "auto" and not TEMPLATES[name].special:
        name = "chatml" if any(TEMPLATES[name].end in text for text in said) else name
    added = [token for token in TEMPLATES[name].special if token not in special_of(base.tokenizer)]
    tokenizer, letters = base.tokenizer, ""
    if config.add_letters and isinstance(tokenizer, CharTokenizer):
        tokenizer = tokenizer.with_letters("".join(said) + _letters_of(TEMPLATES[name]))
        letters = tokenizer.alphabet[base.tokenizer.vocab_size :]
    tokenizer = ExtendedTokenizer(tokenizer, added) if added else tokenizer
    told_of = [*added, *([f"the letters {letters!r}"] if letters else [])]
    say(f"template: {name}" + (f"; added to the vocabulary: {', '.join(told_of)}" if told_of else ""))
    return name, tokenizer


def _letters_of(template: ChatTemplate) -> str:
    """What a template's marks are written with, besides its special tokens."""
    messages = [{"role": role, "content": ""} for role in ROLES]
    text = "".join(part.text for part in template.parts(messages) if part.is_mark)
    for token in template.special:
        text = text.replace(token, "")
    return text


def dialogues_of(
    config: FinetuneConfig, tokenizer: Tokenizer, template: ChatTemplate, longest: int | None, say: Say = print
) -> Dialogues:
    """The data's dialogues, encoded and split.

    Raises DataError where lines cannot be learned from, unless they are to be skipped; `say` is told which.
    """

    def encoded(record: Record) -> Example:
        return _encoded(record, tokenizer, template, longest)

    examples = learnable(
        config, encoded, "messages, prompt and completion, or Alpaca's or ShareGPT's form, on each line", say
    )
    said = [record.value for record, _ in examples]
    return Dialogues(tokenizer, *parted([example for _, example in examples], said, config.held_out))


def learnable(
    config: FinetuneConfig,
    encoded: Callable[[Record], Any],
    expected: str,
    say: Say = print,
    forms: Mapping[str, Form] | None = None,
) -> list[tuple[Record, Any]]:
    """The records of a run's data, each with what `encoded` makes of it, which raises ValueError where it cannot.

    expected  what each line should be.  forms  as `read_records` has it.

    Raises DataError where lines cannot be learned from, unless they are to be skipped; `say` is told which.
    """
    records, faults = read_records(str(config.data), forms)
    found = []
    for record in records:
        try:
            found.append((record, encoded(record)))
        except ValueError as error:
            faults.append(Fault(record.line, str(error)))
    faults.sort(key=lambda fault: fault.line)
    total = len(found) + len(faults)
    for line in told(str(config.data), faults):
        say(line)
    if faults and not (config.skip_bad_lines and found):
        next_step = "Mend them, or go on without them: --skip-bad-lines." if found else "Mend them."
        got = f"{len(faults)} of {total} lines that cannot be learned from"
        raise DataError(str(config.data), expected, got, next_step)
    if faults:
        say(f"{len(faults)} of {total} lines are left out")
    return found


def _encoded(record: Record, tokenizer: Tokenizer, template: ChatTemplate, longest: int | None) -> Example:
    """A dialogue's ids, and which are learned.  Raises ValueError for what cannot be written or read."""
    try:
        example = template.encode(tokenizer, record.value)
    except TokenError as error:
        raise ValueError(f"has {error.got}, which is not among {error.expected}") from None
    if longest is not None and len(example.ids) > longest + 1:
        raise ValueError(f"is {len(example.ids)} tokens long, and the model reads {longest}")
    return example
