"""`tgl align`: a model that answers learns which answers are preferred, or which are right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinygrad_llm.align.run import resume_align, start_align
from tinygrad_llm.align.settings import AlignConfig
from tinygrad_llm.cli.finetune import MERGED
from tinygrad_llm.cli.flags import in_flags, parse, warn
from tinygrad_llm.cli.train import CURVE, as_typed, carried_out, curve
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.finetune.methods import TABLE
from tinygrad_llm.train.lock import claimed, newest
from tinygrad_llm.train.log import curves
from tinygrad_llm.train.trainer import Trainer
from tinygrad_llm.visualize import Figure

ABOUT = """Teaches a model that answers already which answers are preferred, or right. Each line of the data is
{"prompt": …, "chosen": …, "rejected": …} for dpo, cdpo, ipo, hinge, simpo and reward; that, or {"prompt": …,
"completion": …, "label": true}, for kto; {"prompt": …, "answer": …} for grpo and ppo with --verifier; and anything with
a prompt for grpo and ppo with --reward-model. A prompt may be a text, or a list of messages."""
REWARD = "reward; higher is better"
LOSS = "loss a line; lower is better"
"""What the curve of a run that writes shows, and of another one."""


@dataclass(frozen=True)
class AlignFlags(AlignConfig):
    """AlignConfig, and what only this command needs."""

    resume: bool = field(default=False, metadata={"help": "go on with the run in --out, where it stopped"})


def main(argv: Sequence[str]) -> int:
    """Trains; returns the exit status."""
    given, _ = parse(argv, AlignFlags, prog="tgl align", about=ABOUT, positional=["model"])
    resume = given.pop("resume", False)
    with in_flags(AlignFlags, ["model"]):
        trainer = _resumed(given) if resume else _started(given)
        return carried_out(trainer, _resume_command(trainer.out), _introduce, _report, _drawn)


def _started(given: dict[str, Any]) -> Trainer:
    """A new run, in the folder that was named or in one of its own."""
    config = AlignConfig(**given)
    trainer = start_align(config, Path(given["out"]) if "out" in given else None, warn)
    if "out" not in given:
        trainer.move_to(claimed(Path("out") / f"{Path(str(config.data)).stem}-{config.method}"))
    return trainer


def _resumed(given: dict[str, Any]) -> Trainer:
    """The run that goes on, and from where."""
    if "out" not in given:
        raise ConfigError("out", "the run's folder, to go on with it", "none", "tgl align --resume --out FOLDER")
    out = Path(given["out"])
    trainer = resume_align(out, given, warn)
    print(f"{out}: going on from {newest(out)}, step {trainer.step_number} of {trainer.config.steps}", flush=True)
    return trainer


def _resume_command(out: Path) -> str:
    return as_typed("tgl", "align", "--resume", "--out", str(out))


def _introduce(trainer: Trainer) -> None:
    c, corpus, model = trainer.config, trainer.corpus, trainer.model
    learned = sum(p.size for p in model.parameters() if p.requires_grad)
    print(
        f"{c.method}, {c.adapter}: {learned:,} numbers are learned, {TABLE[c.adapter].says}; "
        f"{len(corpus.examples):,} {_kind(c)} to learn from, {len(corpus.held):,} held out; {c.steps:,} steps"
    )
    print(f"curve: {trainer.out / CURVE}, drawn anew at each evaluation: a browser shows it", flush=True)


def _kind(config: AlignConfig) -> str:
    return "prompts" if config.writes else "answers" if config.method == "kto" else "pairs"


def _drawn(trainer: Trainer) -> Figure:
    """The reward where a model writes, whose loss says nothing; else the losses."""
    if trainer.config.writes:
        return curve(trainer, curves(trainer.log.path, ("reward", "val_reward")), unit=REWARD)
    return curve(trainer, curves(trainer.log.path), unit=LOSS)


def _report(trainer: Trainer, seconds: float) -> None:
    """What was known before and after, an answer, and what to try next."""
    out, c = trainer.out, trainer.config
    _drawn(trainer).save(out / CURVE)
    name = "val_reward" if c.writes else "val_loss"
    seen = [value for _, value in curves(trainer.log.path, ("", name))[1]]
    best = -trainer.best if c.writes else trainer.best
    what = "held-out reward" if c.writes else "held-out loss"
    print(f"\n{what} {seen[0]:.4f} before, {best:.4f} at best, on {len(trainer.corpus.held)} {_kind(c)}")
    if c.method != "reward":
        for what, text in zip(("asked", "the model's answer"), trainer.corpus.task.answer()):
            print(f"{what:20}{text.strip()!r}")
    print(f"trained {trainer.step_number} steps in {seconds:.0f} s. Best: {out / 'checkpoint' / 'best'}")
    print("Try next:")
    for words in _next(trainer):
        print(f"  {words}")
    trainer.log.write("report", best=best, seconds=seconds)
    print(json.dumps({"out": str(out), name: best, f"first_{name}": seen[0], "steps": trainer.step_number}))


def _next(trainer: Trainer) -> list[str]:
    out, c = str(trainer.out), trainer.config
    more = f"{_resume_command(trainer.out)} --steps {2 * c.steps}"
    if c.method == "reward":
        align = ["tgl", "align", str(c.model), "--method", "ppo", "--reward-model", out, "--data", str(c.data)]
        return [as_typed(*align), more]
    merge = [as_typed("tgl", "merge", out, "--out", f"{out}-merged")] if c.adapter in MERGED else []
    return [as_typed("tgl", "chat", out), *merge, more]
