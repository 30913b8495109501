"""A run of `tgl align`: what a configuration describes, from the start or from where it stopped."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.align.corpus import Lines
from tinygrad_llm.align.data import ANSWERS, LABELS, PAIRS, PROMPTS, Encoder, Said
from tinygrad_llm.align.offline import Offline
from tinygrad_llm.align.online import Online, Reward, rated_by, verified_by
from tinygrad_llm.align.opened import open_reward
from tinygrad_llm.align.settings import EPOCHS, KL_COEF, MOVED, OF_ONE, AlignConfig
from tinygrad_llm.align.task import Task
from tinygrad_llm.datasets.dialogues import parted
from tinygrad_llm.datasets.instructions import Form, read_records
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.finetune.methods import TABLE, learned, prepared
from tinygrad_llm.finetune.opened import FINETUNE, assign, base_of, open_base
from tinygrad_llm.finetune.run import Say, check_named, chosen_template, learnable, own_data, reference_to
from tinygrad_llm.finetune.settings import FREE_TO_CHANGE, settings_from_dict
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.hugging_face import from_hugging_face
from tinygrad_llm.tokenizer import TEMPLATES
from tinygrad_llm.train.checkpoint import Checkpoint, load_checkpoint
from tinygrad_llm.train.lock import newest
from tinygrad_llm.train.run import changed, check_fresh, threads_for, tokenizer_of
from tinygrad_llm.train.trainer import Contents, Trainer

USAGE = "tgl align MODEL --data FILE.jsonl"
RATE = {"reward": 1 / 3, "ppo": 1 / 3, "grpo": 1 / 3}
PREFERENCE_RATE = 1 / 20
"""Of the rate that suits an adapter: it starts from a model that answers. What learns from preferences alone, and goes
on after it has them all, forgets soonest how to write."""


def start_align(config: AlignConfig, out: Path | None, say: Say = print) -> Trainer:
    """A fresh run.  Raises ConfigError where `out` holds one already, or a setting is missing; DataError for lines that
    cannot be learned from.

    Where `out` is None the trainer must be given a folder before it runs: `move_to`.
    """
    check_fresh(config, out)
    check_named(config, USAGE)
    check_rewards(config)
    base = open_base(str(config.model))
    said = [text for record in read_records(str(config.data), forms_of(config))[0] for text in record.value.texts]
    name, tokenizer = chosen_template(config, base, said, say)
    policy = prepared(base.model, tokenizer.vocab_size, config.of_finetuning()).to(config.device)
    encoder = Encoder(tokenizer, TEMPLATES[name], policy.block_size)
    parts = lines_of(config, encoder, say)
    about = {
        "template": name, "method": config.method, "base": reference_to(base), "writes": config.method != "reward",
        "settings": config.of_finetuning().to_dict(),
    }  # fmt: skip
    config = _resolved(config, len(parts[0]))
    task = _task(config, policy, encoder, parts)
    return _trainer(config, task, out, threads_for(policy, config), _contents(task, about, base.folder))


def resume_align(out: Path, given: dict[str, Any], say: Say = print) -> Trainer:
    """Goes on from checkpoint/last; `given` are the flags of this call, among them where data, model or reward model
    are now.

    Raises CheckpointError where there is nothing to go on from, or the data or the base are others; ConfigError where a
    flag would make it another run.
    """
    saved = load_checkpoint(newest(out))
    about = saved.documents.get(FINETUNE, {})
    if "settings" not in about:
        kind = "finetune" if about else "train"
        raise ConfigError("--resume", "a run of tgl align", f"one of tgl {kind}", f"tgl {kind} --resume --out {out}")
    config = changed(settings_from_dict(saved.document("run")["config"], AlignConfig), given, FREE_TO_CHANGE, MOVED)
    if given.get("reward_model"):
        config = replace(config, reward_model=given["reward_model"])
    base = base_of(about["base"], out, given.get("model"))
    tokenizer, state = tokenizer_of(saved), saved.document("state")
    policy = prepared(base.model, tokenizer.vocab_size, config.of_finetuning()).to(config.device)
    encoder = Encoder(tokenizer, TEMPLATES[about["template"]], policy.block_size)

    def lines(there: AlignConfig) -> Lines:
        return Lines(tokenizer, *lines_of(there, encoder, say))

    config, found = own_data(config, state, given.get("data"), out, lines)
    parts = found.examples, found.held
    task = _task(config, policy, encoder, parts)  # the reference is taken before anything is restored
    _restore(task, saved)
    threads = state["threads"] if config.threads == "auto" else threads_for(policy, config)
    trainer = _trainer(config, task, out, threads, _contents(task, about, base.folder))
    trainer.restore(saved)
    return trainer


Parts = tuple[Sequence[Any], Sequence[Any]]
"""Encoded lines to learn from, and those held out."""


def _trainer(config: AlignConfig, task: Task, out: Path | None, threads: int, contents: Any) -> Trainer:
    lines, loss = Lines(task.encoder.tokenizer, task.examples, task.held, task), task.loss

    def divisor(batches: Sequence[Any]) -> float:
        return sum(map(loss.divisor, batches))

    return Trainer(
        config, lines, task.model, out, threads, loss=loss, contents=contents, divisor=divisor, judge=task.judge
    )


def _task(config: AlignConfig, policy: Any, encoder: Encoder, parts: Parts) -> Task:
    if not config.writes:
        return Offline(config, policy, encoder, *parts)
    return Online(config, policy, encoder, *parts, reward_of(config))


def reward_of(config: AlignConfig) -> Reward:
    """What rates what is written."""
    if config.reward_model is None:
        return verified_by(str(config.verifier))
    rater = open_reward(config.reward_model)
    rater.model.to(config.device)
    return rated_by(rater)


def check_rewards(config: AlignConfig) -> None:
    """Raises ConfigError where nothing, or two things, would rate what is written; or where nothing is written."""
    named = [name for name in ("reward_model", "verifier") if getattr(config, name) is not None]
    if config.writes and len(named) != 1:
        next_step = "--verifier NAME for lines with an answer, --reward-model RUN for any prompts."
        raise ConfigError(config.method, "a verifier or a reward model", " and ".join(named) or "none", next_step)
    if config.kl_target is not None and (config.method != "ppo" or config.kl_coef == 0):
        next_step = "Leave one of them out."
        raise ConfigError("kl_target", "ppo, with a kl_coef to begin with", f"it with {config.method}", next_step)
    if not config.writes and named:
        raise ConfigError(named[0], "none: only ppo and grpo write what is rated", f"it with {config.method}")


def forms_of(config: AlignConfig) -> Mapping[str, Form]:
    """The forms that a method's lines may have."""
    if config.writes:
        return ANSWERS if config.verifier is not None else PROMPTS
    return LABELS if config.method in OF_ONE else PAIRS


def lines_of(config: AlignConfig, encoder: Encoder, say: Say = print) -> tuple[list[Any], list[Any]]:
    """The data's lines, encoded: those to learn from, and those held out, by their prompts.

    Raises DataError where lines cannot be learned from, unless they are to be skipped.
    """

    def encoded(record: Any) -> list[Any]:
        said: Said = record.value
        if config.writes:
            return [encoder.asked(said, config.answer_tokens)]
        return encoder.labelled(said) if config.method in OF_ONE else [encoder.pair(said)]

    forms = forms_of(config)
    expected = ", or ".join(" and ".join(form.keys) for form in forms.values()) + ", on each line"
    lines = learnable(config, encoded, expected, say, forms)
    asked = [record.value.messages for record, _ in lines]
    examples, held = parted([found for _, found in lines], asked, config.held_out)
    return [*chain(*examples)], [*chain(*held)]


def _resolved(config: AlignConfig, count: int) -> AlignConfig:
    """With what is left to the method and the data filled in."""
    method = config.method
    epochs = EPOCHS.get(method, 3.0) if config.epochs is None else config.epochs
    batches = math.ceil(epochs * count / (config.batch_size * config.accumulate))
    lr = TABLE[config.adapter].lr * RATE.get(method, PREFERENCE_RATE) if config.lr is None else config.lr
    kl_coef = KL_COEF.get(method) if config.kl_coef is None else config.kl_coef
    steps = config.steps or max(1, batches * config.steps_a_rollout)
    return replace(config, epochs=epochs, steps=steps, lr=lr, kl_coef=kl_coef)


def _contents(task: Task, about: dict[str, Any], base: Path) -> Callable[[Any], Contents]:
    def contents(model: Any) -> Contents:
        documents, arrays = learned(task.policy, os.path.abspath(base))
        more, own = task.state()
        return documents | more | {FINETUNE: about}, arrays | own

    return contents


def _restore(task: Task, saved: Checkpoint) -> None:
    """Gives what is learned the numbers of a checkpoint."""
    own = {name: p for name, p in task.policy.named_parameters() if p.requires_grad}
    if isinstance(task.policy, Decoder):
        whole = from_hugging_face(saved.document("config"), saved.group("model"), np.float32)
        assign(own, {name: p.numpy() for name, p in whole.named_parameters()}, saved.path)
    else:
        assign(own, saved.group("trained"), saved.path)
    task.restore(saved)
