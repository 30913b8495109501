"""`tgl train`: a run, and what there is to see at its end."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tinygrad_llm.backend.cuda import describe_gpu
from tinygrad_llm.cli.flags import in_flags, parse
from tinygrad_llm.cli.load import STDIN, beginning, read_stdin
from tinygrad_llm.course.claim import encodable
from tinygrad_llm.course.output import say
from tinygrad_llm.datasets.download import SOURCES, data_dir
from tinygrad_llm.datasets.text import decoded, read_text
from tinygrad_llm.errors import ConfigError, StorageError, reason
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models.ngram import NGram
from tinygrad_llm.train.config import PRESETS, TrainConfig
from tinygrad_llm.train.data import Corpus
from tinygrad_llm.train.dry_run import needed
from tinygrad_llm.train.lock import claimed, newest
from tinygrad_llm.train.log import curves
from tinygrad_llm.train.run import resume_run, start_run
from tinygrad_llm.train.trainer import Interrupted, Trainer
from tinygrad_llm.visualize import Figure, loss_curve

NGRAM_ORDERS = (3, 5)
SAMPLE_TOKENS = 400
CURVE, COPY = "loss.svg", "text.txt"
"""The names, in the folder of a run, of its curve, and of its text where that came by a pipe."""
BAR, EIGHTHS = 12, " ▏▎▍▌▋▊▉█"
PROMPT_FROM, PROMPT_LENGTH = 400, 16
"""Tokens to look at, and characters to take at most."""


@dataclass(frozen=True)
class TrainFlags(TrainConfig):
    """TrainConfig, and what only this command needs."""

    resume: bool = field(default=False, metadata={"help": "go on with the run in --out, where it stopped"})
    dry_run: bool = field(default=False, metadata={"help": "say what memory the run needs, and train nothing"})


def main(argv: Sequence[str]) -> int:
    """Trains; returns the exit status."""
    about = "Trains a GPT, or another --arch. "
    about += "Presets: tales (a minute on two cores), shakespeare-cpu, shakespeare-gpu, gpt2-124m."
    given, preset = parse(argv, TrainFlags, prog="tgl train", about=about, presets=PRESETS)
    resume, dry_run = given.pop("resume", False), given.pop("dry_run", False)
    with in_flags(TrainFlags):
        if dry_run:
            return _dry_run(given, str(preset), resume)
        trainer = _resumed(given, str(preset)) if resume else _started(given, str(preset))
        return carried_out(trainer, _resume_command(trainer.out), _introduce, _report)


def carried_out(
    trainer: Trainer,
    resume_command: str,
    introduce: Callable[[Trainer], None],
    report: Callable[[Trainer, float], None],
    draw: Callable[[Trainer], Figure] | None = None,
) -> int:
    """Runs to the end, or to where somebody stops it; a finished run says so.  -> the exit status

    introduce, report  what is printed before, and after so many seconds.
    draw               the run's curve as far as it is known; where None that of the losses.
    """
    if trainer.step_number >= trainer.config.steps:
        done = trainer.step_number
        print(f"This run is finished: {done} of {trainer.config.steps} steps are done. For more of them:")
        print(f"  {resume_command} --steps {2 * done}")
        return 0
    introduce(trainer)
    sys.stdout.flush()  # where nothing can be written, nothing begins
    start = time.perf_counter()
    try:
        trainer.run(report=watched(trainer, draw or drawn))
    except Interrupted as stop:
        next_step = f"Go on with: {resume_command}"
        return say(f"\nstopped at step {trainer.step_number}; saved. {next_step}", 128 + stop.number)
    report(trainer, time.perf_counter() - start)
    return 0


def _started(given: dict[str, Any], preset: str) -> Trainer:
    """A new run, in the folder that was named or in one of its own."""
    if preset.startswith(("shakespeare", "gpt2")) and "text" not in given:
        raise ConfigError("--text", "a text file, for this preset", "none", "Get one: tgl data get tinyshakespeare")
    with contextlib.ExitStack() as folders:
        if piped := given.get("text") == STDIN:
            given = {**given, "text": _piped(Path(folders.enter_context(tempfile.TemporaryDirectory())))}
        config = _config(given, preset)
        _tell_of_returns(config)
        trainer = start_run(config, Path(given["out"]) if "out" in given else None)
        if "out" not in given:
            trainer.move_to(claimed(Path("out") / preset))
        if piped:
            _keep_text(trainer)
    return trainer


def _config(given: dict[str, Any], preset: str) -> TrainConfig:
    return TrainConfig(**{**PRESETS[preset], **given})


def _dry_run(given: dict[str, Any], preset: str, resume: bool) -> int:
    """What the run would need, from two small steps of it; nothing is written."""
    if resume or given.get("text") == STDIN:
        given_too = "--resume" if resume else "--text -"
        raise ConfigError("--dry-run", "a new run, on a file", given_too, "Leave one of both out.")
    trainer, memory = needed(lambda: start_run(_config(given, preset), None))
    size, largest = trainer.config.batch_size, memory.largest
    print(f"{trainer.model.n_parameters():,} parameters; {_where(trainer)}")
    beside = f", and {_bytes(memory.judged)} when it is evaluated" if memory.judged else ""
    print(
        f"A step of {size} examples of {trainer.config.block_size} tokens takes about {_bytes(memory.of(size))}: "
        f"{_bytes(memory.fixed)} whatever the batch, {_bytes(memory.example)} an example{beside}."
    )
    if largest is not None and memory.room is not None:
        fits = f"--batch-size up to {largest:,} fits" if largest else "not even one example fits"
        print(f"Of {_bytes(memory.room)}, {fits}.")
    if largest is not None and 0 < largest < size:
        count = -(-size // largest)
        print(f"The same step in less memory: --batch-size {-(-size // count)} --accumulate {count}")
    print(json.dumps(asdict(memory) | {"largest": largest}))
    return 0


def _bytes(count: float) -> str:
    """A size for people: 1.5 GB."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def _piped(folder: Path) -> str:
    """Standard input as a file in `folder`.  Raises DataError for what is no text."""
    content = read_stdin()
    decoded(content, "standard input")
    path = folder / COPY
    path.write_bytes(content)
    return str(path)


def _keep_text(trainer: Trainer) -> None:
    """The text's copy goes into the run's folder: what came by a pipe is nowhere else, and resuming needs it.

    Raises StorageError where that cannot be, also because such a file is there.
    """
    path = trainer.out / COPY
    try:
        trainer.out.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as file:
            file.write(Path(str(trainer.config.text)).read_bytes())
    except OSError as error:
        raise StorageError(str(path), "a new file", reason(error), "Choose another --out.") from error
    trainer.config = replace(trainer.config, text=str(path))
    print(f"text: standard input, kept as {path}")


def _tell_of_returns(config: TrainConfig) -> None:
    """Carriage returns are learned as they are, but not unnoticed."""
    if config.text is not None and config.newlines == "keep":
        count = read_text(config.text).count("\r")
        if count:
            print(f"The text has {count:,} carriage returns; --newlines lf leaves them out.", file=sys.stderr)


def _resumed(given: dict[str, Any], preset: str) -> Trainer:
    """The run that goes on, and from where."""
    out = Path(given["out"]) if "out" in given else Path("out") / preset
    if given.get("text") == STDIN:
        next_step = f"A run that learned from standard input has its text: {COPY}."
        raise ConfigError("--text", "a file, to go on with a run", "standard input", next_step)
    trainer = resume_run(out, given)
    print(f"{out}: going on from {newest(out)}, step {trainer.step_number} of {trainer.config.steps}", flush=True)
    return trainer


def _resume_command(out: Path) -> str:
    return as_typed("tgl", "train", "--resume", "--out", str(out))


def as_typed(*words: str) -> str:
    """A command that a shell reads as these words."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _introduce(trainer: Trainer) -> None:
    c, corpus = trainer.config, trainer.corpus
    print(
        f"{trainer.model.n_parameters():,} parameters, {c.n_layer} layers, {c.n_head} heads, {c.n_embd} wide; "
        f"{len(corpus.train):,} tokens to learn from, {len(corpus.val):,} held out, "
        f"{corpus.tokenizer.vocab_size} kinds; "
        f"{_where(trainer)}"
    )
    print(f"curve: {trainer.out / CURVE}, drawn anew at each evaluation: a browser shows it")


def _where(trainer: Trainer) -> str:
    """What computes: threads, or the GPU and how finely."""
    if trainer.device == "cuda":
        return f"{trainer.config.precision} on {describe_gpu()}"
    return f"{trainer.threads} thread{'s' * (trainer.threads > 1)}"


def watched(trainer: Trainer, draw: Callable[[Trainer], Figure]) -> Callable[[str], None]:
    """Prints a line of the run; an evaluation's also has the curve drawn anew, and a bar on a terminal.

    A curve that cannot be written stops nothing: what must be saved says so by itself.
    """
    seen: list[tuple[int, float]] = []

    def report(line: str) -> None:
        val = curves(trainer.log.path)[1]
        if val != seen:  # else it is a line about something else
            seen[:] = val
            with contextlib.suppress(StorageError):
                draw(trainer).save(trainer.out / CURVE)
            line += f"  {bar(val[-1][1] / (val[0][1] or 1))}" * (sys.stdout.isatty() and val[0][1] >= 0)
        tqdm.write(line.rstrip())
        sys.stdout.flush()  # a file or a pipe is read meanwhile, too

    return report


def bar(share: float, width: int = BAR) -> str:
    """As long as the share of `width` characters, to an eighth of one where the terminal has such signs."""
    eighths = round(8 * width * min(max(share, 0.0), 1.0))
    drawn = EIGHTHS[-1] * (eighths // 8) + EIGHTHS[eighths % 8].strip()
    return drawn if encodable(drawn, sys.stdout.encoding or "utf-8") else "#" * round(eighths / 8)


def drawn(trainer: Trainer) -> Figure:
    """The losses of a run so far."""
    return curve(trainer, curves(trainer.log.path))


def curve(trainer: Trainer, losses: tuple[list, list], **more: Any) -> Figure:
    """The losses so far, as `curves` read them from the log; `more` as `loss_curve` has it."""
    return loss_curve(*losses, title=f"{trainer.out.name}: {trainer.model.n_parameters():,} parameters", **more)


def _report(trainer: Trainer, seconds: float) -> None:
    """The curve, a table of bits per byte beside n-grams, a sample, and what to try next."""
    out, corpus = trainer.out, trainer.corpus
    baselines = ngram_losses(corpus)
    figure = curve(trainer, curves(trainer.log.path), baselines=baselines)
    figure.save(out / CURVE)
    png = importlib.util.find_spec("matplotlib") and figure.save(out / "loss.png")
    print(f"\n{'':14}nats a token   bits a byte   (the same held-out text)")
    for name, loss in {**baselines, "this model": trainer.best}.items():
        print(f"{name:14}{loss:12.4f}{loss * corpus.nats_to_bits_per_byte:14.4f}")
    if any(loss < trainer.best for loss in baselines.values()):
        print("Counting wins here: at this size of model and text an n-gram is a strong baseline.")
    print(f"\n--- a sample, temperature 0.8 {'-' * 40}\n{sample(trainer)}\n{'-' * 70}")
    print(
        f"trained {trainer.step_number} steps in {seconds:.0f} s. curve: {out / CURVE}{' and loss.png' if png else ''}"
    )
    print("Try next:")
    prompt = [f"--prompt={words}"] if (words := beginning_of(corpus)) else []
    print(f"  {as_typed('tgl', 'sample', str(out), *prompt, '--temperature', '0.5')}")
    print(f"  {_resume_command(out)} --steps {2 * trainer.config.steps}")
    text = str(data_dir() / SOURCES["tinyshakespeare"].file)
    print("  tgl data get tinyshakespeare")
    print(f"  {as_typed('tgl', 'train', '--preset', 'shakespeare-cpu', '--text', text)}")
    trainer.log.write("report", best_val_loss=trainer.best, ngrams=baselines, seconds=seconds)
    print(json.dumps({"out": str(out), "val_loss": trainer.best, "steps": trainer.step_number, "ngrams": baselines}))


def beginning_of(corpus: Corpus) -> str:
    """A few words of the held-out text: whatever alphabet the model has learned, it knows them; "" where are none."""
    text = corpus.tokenizer.decode(corpus.val[:PROMPT_FROM])
    lines = [line.strip() for line in text.replace("\ufffd", " ").splitlines() if line.strip()]
    if not lines:
        return ""
    words = lines[min(1, len(lines) - 1)]  # the first line may begin within a word
    return words if len(words) <= PROMPT_LENGTH else words[:PROMPT_LENGTH].rpartition(" ")[0] or words[:PROMPT_LENGTH]


def ngram_losses(corpus: Corpus) -> dict[str, float]:
    """Interpolated n-grams of the same tokens, in nats a token; those that the vocabulary allows."""
    losses = {}
    for order in NGRAM_ORDERS:
        if order * np.log2(corpus.tokenizer.vocab_size) <= 63:
            model = NGram(order, corpus.tokenizer.vocab_size).fit(corpus.train)
            losses[f"{order}-gram"] = model.cross_entropy(corpus.val)
    return losses


def sample(trainer: Trainer, count: int = SAMPLE_TOKENS) -> str:
    """Some text from the model."""
    tokenizer = trainer.corpus.tokenizer
    rng = np.random.default_rng(trainer.config.seed)
    ids = generate(trainer.model, beginning(tokenizer), count, Sampler(temperature=0.8), rng)
    return tokenizer.decode(list(ids)).strip("\n")
