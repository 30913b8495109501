"""`tgl finetune`: a model that is there learns to answer as the lines of a file do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.cli.flags import in_flags, parse, warn
from tinygrad_llm.cli.train import CURVE, as_typed, carried_out, curve
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.finetune.methods import TABLE
from tinygrad_llm.finetune.run import resume_finetune, start_finetune
from tinygrad_llm.finetune.settings import FinetuneConfig
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.train.lock import claimed, newest
from tinygrad_llm.train.log import curves
from tinygrad_llm.train.trainer import Trainer

ABOUT = """Teaches a model to answer as the lines of a file do. Each line is {"prompt": …, "completion": …}, or
{"messages": [{"role": "user", "content": …}, {"role": "assistant", "content": …}, …]}."""
ANSWER_TOKENS = 100
MERGED = ("full", "lora", "dora", "ia3", "qlora")


@dataclass(frozen=True)
class FinetuneFlags(FinetuneConfig):
    """FinetuneConfig, and what only this command needs."""

    resume: bool = field(default=False, metadata={"help": "go on with the run in --out, where it stopped"})


def main(argv: Sequence[str]) -> int:
    """Trains; returns the exit status."""
    given, _ = parse(argv, FinetuneFlags, prog="tgl finetune", about=ABOUT, positional=["model"])
    resume = given.pop("resume", False)
    with in_flags(FinetuneFlags, ["model"]):
        trainer = _resumed(given) if resume else _started(given)
        return carried_out(trainer, _resume_command(trainer.out), _introduce, _report)


def _started(given: dict[str, Any]) -> Trainer:
    """A new run, in the folder that was named or in one of its own."""
    config = FinetuneConfig(**given)
    trainer = start_finetune(config, Path(given["out"]) if "out" in given else None, warn)
    if "out" not in given:
        trainer.move_to(claimed(Path("out") / f"{Path(str(config.data)).stem}-{config.method}"))
    return trainer


def _resumed(given: dict[str, Any]) -> Trainer:
    """The run that goes on, and from where."""
    if "out" not in given:
        raise ConfigError("out", "the run's folder, to go on with it", "none", "tgl finetune --resume --out FOLDER")
    out = Path(given["out"])
    trainer = resume_finetune(out, given, warn)
    print(f"{out}: going on from {newest(out)}, step {trainer.step_number} of {trainer.config.steps}", flush=True)
    return trainer


def _resume_command(out: Path) -> str:
    return as_typed("tgl", "finetune", "--resume", "--out", str(out))


def _introduce(trainer: Trainer) -> None:
    c, corpus, model = trainer.config, trainer.corpus, trainer.model
    print(
        f"{c.method}: {model.n_trainable():,} numbers are learned, {TABLE[c.method].says}, beside "
        f"{model.n_parameters() - model.n_trainable():,}; {len(corpus.examples):,} dialogues to learn from, "
        f"{len(corpus.held):,} held out; {c.steps:,} steps"
    )
    print(f"curve: {trainer.out / CURVE}, drawn anew at each evaluation: a browser shows it", flush=True)


def _report(trainer: Trainer, seconds: float) -> None:
    """The loss before and after, an answer beside the one in the file, and what to try next."""
    out, method = trainer.out, trainer.config.method
    losses = curves(trainer.log.path)
    curve(trainer, losses).save(out / CURVE)
    first = losses[1][0][1] if losses[1] else trainer.best
    held = f"{len(trainer.corpus.held)} dialogues"
    print(f"\nheld-out loss {first:.4f} nats a token before, {trainer.best:.4f} at best, on {held}")
    asked, wanted, answered = sample(trainer)
    for name, text in (("asked", asked), ("the file's answer", wanted), ("the model's", answered)):
        print(f"{name:18}{text.strip()!r}")
    print(f"trained {trainer.step_number} steps in {seconds:.0f} s. Best: {out / 'checkpoint' / 'best'}")
    print("Try next:")
    print(f"  {as_typed('tgl', 'chat', str(out))}")
    if method in MERGED:
        print(f"  {as_typed('tgl', 'merge', str(out), '--out', f'{out}-merged')}")
    print(f"  {_resume_command(out)} --steps {2 * trainer.config.steps}")
    trainer.log.write("report", best_val_loss=trainer.best, seconds=seconds)
    print(
        json.dumps({"out": str(out), "val_loss": trainer.best, "first_val_loss": first, "steps": trainer.step_number})
    )


def sample(trainer: Trainer, count: int = ANSWER_TOKENS) -> tuple[str, str, str]:
    """Of the first held-out dialogue all up to the first answer, that, and the likeliest one of the model."""
    tokenizer, (ids, learned) = trainer.corpus.tokenizer, trainer.corpus.held[0]
    start = int(np.argmax(learned))
    stop = start + int(np.argmin(np.append(learned[start:], False)))
    written = generate(
        trainer.model, [ids[:start].tolist()], min(count, 2 * (stop - start)), Sampler(greedy=True),
        np.random.default_rng(0), stop_ids=[int(ids[stop - 1])],
    )  # fmt: skip
    asked, wanted, answered = (tokenizer.decode(part) for part in (ids[:start], ids[start:stop], written.tokens[0]))
    return asked, wanted, answered
