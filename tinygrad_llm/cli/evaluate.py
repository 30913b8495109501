"""`tgl eval`: how good a model is, or texts that somebody has: scores with intervals, comparisons, a report."""

from __future__ import annotations

import math
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from tqdm import tqdm

from tinygrad_llm.cli.evaluate_pages import comparison_report, print_compared, print_measured, scores_report
from tinygrad_llm.cli.flags import SPECIAL_HELP, command
from tinygrad_llm.cli.load import load_model, text_of
from tinygrad_llm.errors import ConfigError, TokenError
from tinygrad_llm.evaluate.ask import LONGEST_ANSWER, Examinee, row_log_probs, windows_of
from tinygrad_llm.evaluate.compare import TESTS
from tinygrad_llm.evaluate.exam import (
    BITS,
    KNOWN,
    LABELS,
    TEXTS,
    Exam,
    check_names,
    exam_comparison,
    exam_scores,
    prediction_comparison,
    prediction_scores,
    sit,
)
from tinygrad_llm.evaluate.measure import measure_rows, ratio
from tinygrad_llm.evaluate.predictions import (
    Prediction,
    check_same_examples,
    read_lines,
    read_predictions,
    write_predictions,
)
from tinygrad_llm.evaluate.report import check_report
from tinygrad_llm.evaluate.task import Task, read_tasks
from tinygrad_llm.finetune.opened import open_model
from tinygrad_llm.ranges import number, one_of, whole
from tinygrad_llm.tokenizer import TEMPLATES
from tinygrad_llm.tokenizer.special import encode_text
from tinygrad_llm.train.ranges import MOST

MOST_NATS = 709  # e to the power of more is no float64
ABOUT = """How good is it? Five ways to ask:

  tgl eval MODEL TEXT                        how well a model foretells a text
  tgl eval MODEL --tasks FILE                how well it answers questions and chooses
  tgl eval --predictions FILE                how near texts are to their references
  tgl eval --compare A B                     which of two files of predictions is better
  tgl eval --compare A B --tasks FILE        which of two models is better at tasks

Every score has an interval, and every comparison a p-value. Files hold a JSON object
a line:
  predictions  {"prediction": …, "reference": …}, or "references": […];
               "confidence" and "prompt" where they are known
  tasks        {"prompt": …, "reference": …}
               {"prompt": …, "choices": […], "answer": …}
               {"text": …}
metrics
{metrics}
docs/evaluating.md says all of it."""
ABOUT = ABOUT.replace("{metrics}", textwrap.fill(" ".join(KNOWN), 78, initial_indent="  ", subsequent_indent="  "))
WHAT, HOW, MODELS, OUT = "what is evaluated", "how", "where a model is asked", "what is written"


@dataclass(frozen=True)
class EvalFlags:
    """See each field's help."""

    run: str | None = field(default=None, metadata={"help": "MODEL: folder of a run, a checkpoint, or a model"})
    text: str | None = field(default=None, metadata={"help": "text file to predict; - reads standard input"})
    tasks: str | None = field(
        default=None, metadata={"help": "questions, choices and texts for a model", "metavar": "FILE", "group": WHAT}
    )
    predictions: str | None = field(
        default=None,
        metadata={
            "help": "what was said, and the references; or, with --references, a text line by line",
            "metavar": "FILE",
            "group": WHAT,
        },
    )
    references: str | None = field(
        default=None, metadata={"help": "a text with a reference a line", "metavar": "FILE", "group": WHAT}
    )
    compare: tuple[str, ...] = field(
        default=(),
        metadata={"help": "two files of predictions, or with --tasks two models", "metavar": ("A", "B"), "group": WHAT},
    )
    metric: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "one of the metrics above, may be given again; without it: all that apply",
            "metavar": "NAME",
            "group": HOW,
            "range": one_of(KNOWN),
        },
    )
    confidence: float = field(
        default=0.95,
        metadata={
            "help": "how often an interval holds the true score",
            "group": HOW,
            "metavar": "P",
            "range": number(0, 1, "()"),
        },
    )
    resamples: int = field(
        default=2000,
        metadata={
            "help": "how often examples are drawn anew, or swapped",
            "group": HOW,
            "metavar": "N",
            "range": whole(1, MOST),
        },
    )
    test: str = field(
        default="randomization",
        metadata={
            "help": f"how a p-value is found: {' or '.join(TESTS)}",
            "group": HOW,
            "metavar": "NAME",
            "range": one_of(TESTS),
        },
    )
    seed: int = field(
        default=0, metadata={"help": "of the draws: same seed, same intervals", "group": HOW, "metavar": "N"}
    )
    tokens: int = field(
        default=LONGEST_ANSWER,
        metadata={"help": "the longest answer", "range": whole(1, MOST), "group": MODELS, "metavar": "N"},
    )
    template: str = field(
        default="auto",
        metadata={
            "help": "how a question is put; auto is as the model learned it, none as it stands",
            "range": one_of(("auto", "none", *TEMPLATES)),
            "group": MODELS,
            "metavar": "NAME",
        },
    )
    batch_size: int = field(default=32, metadata={"help": "sequences at a time", "group": MODELS, "metavar": "N"})
    special: str = field(default="refuse", metadata={"help": SPECIAL_HELP, "group": MODELS, "metavar": "NAME"})
    newlines: str = field(
        default="keep",
        metadata={
            "help": "carriage returns in TEXT: keep, or lf as a run with --newlines lf",
            "group": MODELS,
            "metavar": "NAME",
        },
    )
    device: str = field(default="cpu", metadata={"help": "cpu, cuda or auto", "group": MODELS, "metavar": "NAME"})
    report: str | None = field(
        default=None,
        metadata={"help": "a page with tables and figures, for any browser", "metavar": "FILE.html", "group": OUT},
    )
    save: str | None = field(
        default=None,
        metadata={
            "help": "with --tasks: what the model said, for --predictions and --compare",
            "metavar": "FILE.jsonl",
            "group": OUT,
        },
    )


@command(EvalFlags, prog="tgl eval", about=ABOUT, positional=["run", "text"])
def main(flags: EvalFlags) -> int:
    """Prints scores with their intervals; returns the exit status."""
    way = _way(flags)
    if flags.report is not None:
        check_report(flags.report)
    check_names(flags.metric)
    return way(flags)


def _way(flags: EvalFlags) -> Callable[[EvalFlags], int]:
    """What is asked for.  Raises ConfigError for flags that this way of asking does not read."""
    way = (
        (_compare_models if flags.tasks else _compare_files) if flags.compare
        else _predictions if flags.predictions is not None
        else _tasks if flags.tasks is not None
        else _text
    )  # fmt: skip
    if way is _tasks and flags.run is None:
        raise ConfigError("run", "a model that does the tasks", "none", "tgl eval MODEL --tasks FILE")
    if way is _text and (flags.run is None or flags.text is None):
        names = "run, text" if flags.run is None else "text"
        hint = "Or --tasks, --predictions, --compare: `tgl eval --help` shows five ways."
        raise ConfigError("tgl eval", names, "none", hint)
    if way is _text and (other := [name for name in flags.metric if name != BITS]):
        raise ConfigError("--metric", f"{BITS}, of a text", other[0], "Others need references: --tasks FILE")
    for f in fields(flags):
        value = getattr(flags, f.name)
        if f.name in READ_BY and way not in READ_BY[f.name] and value != f.default:
            shown = f.name if f.name in ("run", "text") else f"--{f.name.replace('_', '-')}"
            raise ConfigError(shown, "its use in another way of asking", value, "`tgl eval --help` shows five ways.")
    return way


def _text(flags: EvalFlags) -> int:
    """Nats a token, perplexity and bits a byte; an interval too, where the metric is named or a report is written."""
    model, tokenizer = load_model(flags.run or "")
    model.to(flags.device)
    text = text_of(flags.text or "", flags.newlines)
    try:
        tokens = encode_text(tokenizer, text, flags.special)
    except TokenError as error:
        if error.character != "\r":
            raise
        raise TokenError(
            error.name, error.expected, error.got, "Leave them out, as the run did: --newlines lf"
        ) from None
    windows = windows_of(tokens, model.block_size)
    nats = -row_log_probs(model, windows, flags.batch_size, _bar, "windows")
    lengths, size = np.array([len(ids) - 1 for ids, _ in windows]), len(text.encode("utf-8"))
    count = int(lengths.sum())
    loss = float(nats.sum()) / count
    bits = loss / math.log(2) * count / size
    perplexity = math.exp(loss) if loss < MOST_NATS else math.inf
    print(f"{loss:.4f} nats a token   perplexity {perplexity:.3f}   {bits:.4f} bits a byte   ({count:,} tokens)")
    if not flags.metric and flags.report is None:
        return 0
    rows = np.stack([nats / math.log(2), lengths * size / count], 1)  # a window's bytes: its share of the tokens
    told = f"windows of {int(lengths.max()):,} tokens, drawn anew as if none knew of the others"
    found = measure_rows(BITS, LABELS[BITS][0], rows, ratio, most=0, lower=True, signature=told, **_draws(flags))
    facts = {"model": flags.run, "text": flags.text, "tokens": f"{count:,}", "nats a token": f"{loss:.4f}"}
    return _told(flags, {TEXTS: [found]}, facts)


def _tasks(flags: EvalFlags) -> int:
    """A model at tasks."""
    tasks = read_tasks(flags.tasks or "")
    exam, template = _sat(flags, flags.run or "", tasks)
    if flags.save is not None:
        write_predictions(flags.save, exam.predictions())
        print(f"what it said: {flags.save}")
    facts = {"model": flags.run, "tasks": f"{flags.tasks}, {len(tasks):,}", "template": template}
    facts["answers"] = f"the likeliest token each time, at most {flags.tokens:,} where a line says nothing"
    scores = exam_scores(exam, flags.metric, progress=_bar, **_draws(flags))
    return _told(flags, scores, facts, exam.predictions(), exam)


def _predictions(flags: EvalFlags) -> int:
    """Texts that somebody has."""
    predictions = _read(flags, flags.predictions or "")
    facts = {"predictions": f"{flags.predictions}, {len(predictions):,}"}
    facts |= {"references": flags.references} if flags.references else {}
    scores = prediction_scores(predictions, flags.metric, progress=_bar, **_draws(flags))
    return _told(flags, scores, facts, predictions)


def _compare_files(flags: EvalFlags) -> int:
    """Two files of predictions."""
    first, second = (_read(flags, name) for name in flags.compare)
    check_same_examples(first, second, flags.compare)
    found = prediction_comparison(first, second, flags.metric, test=flags.test, progress=_bar, **_draws(flags))
    return _told_compared(flags, found, len(first), {})


def _compare_models(flags: EvalFlags) -> int:
    """Two models at the same tasks."""
    tasks = read_tasks(flags.tasks or "")
    (first, one), (second, other) = (_sat(flags, name, tasks) for name in flags.compare)
    found = exam_comparison(first, second, flags.metric, test=flags.test, progress=_bar, **_draws(flags))
    return _told_compared(flags, found, len(tasks), {"tasks": flags.tasks, "template": f"{one}; {other}"})


def _sat(flags: EvalFlags, name: str, tasks: Sequence[Task]) -> tuple[Exam, str]:
    """A model's exam, and how questions were put to it."""
    opened = open_model(name)
    opened.model.to(flags.device)
    template = opened.template or "none" if flags.template == "auto" else flags.template
    examinee = Examinee(
        opened.model, opened.tokenizer, TEMPLATES.get(template), str(flags.tasks), flags.special, flags.batch_size,
        flags.tokens, _bar,
    )  # fmt: skip
    exam = sit(examinee, tasks)
    if examinee.cropped:
        longest = f"the {opened.model.block_size} tokens that {name} sees at once, and lost their beginning"
        print(f"{examinee.cropped:,} of {len(tasks):,} tasks were longer than {longest}", file=sys.stderr)
    return exam, template


READ_BY = {
    "run": (_text, _tasks), "text": (_text,), "newlines": (_text,), "save": (_tasks,),
    "tasks": (_tasks, _compare_models), "tokens": (_tasks, _compare_models), "template": (_tasks, _compare_models),
    "batch_size": (_text, _tasks, _compare_models), "special": (_text, _tasks, _compare_models),
    "device": (_text, _tasks, _compare_models), "predictions": (_predictions,),
    "references": (_predictions, _compare_files), "test": (_compare_files, _compare_models),
}  # fmt: skip
"""The flags that some ways of asking read, and which."""


def _read(flags: EvalFlags, name: str) -> list[Prediction]:
    return read_predictions(name) if flags.references is None else read_lines(name, flags.references)


def _draws(flags: EvalFlags) -> dict[str, Any]:
    """How intervals are found."""
    return {
        "confidence": flags.confidence, "resamples": flags.resamples, "rng": np.random.default_rng(flags.seed)
    }  # fmt: skip


def _bar(items: Sequence[Any], words: str) -> Iterable[Any]:
    """Shows how far it is, in a terminal."""
    return tqdm(items, desc=words, disable=None, leave=False)


def _told(
    flags: EvalFlags,
    scores: dict[str, Any],
    facts: dict[str, Any],
    predictions: Sequence[Prediction] = (),
    exam: Exam | None = None,
) -> int:
    print_measured(scores, flags.confidence)
    if flags.report is not None:
        print(
            f"report: {scores_report(flags.report, facts | _how(flags), scores, flags.confidence, predictions, exam)}"
        )
    return 0


def _told_compared(flags: EvalFlags, found: Sequence[Any], count: int, facts: dict[str, Any]) -> int:
    names = (flags.compare[0], flags.compare[1])
    print_compared(found, names, count, flags.test, flags.confidence)
    if flags.report is not None:
        facts = {"A": names[0], "B": names[1], "examples": f"{count:,}"} | facts | _how(flags)
        print(f"report: {comparison_report(flags.report, facts, found, names, flags.test, flags.confidence)}")
    return 0


def _how(flags: EvalFlags) -> dict[str, Any]:
    return {"draws": f"{flags.resamples:,}, seed {flags.seed}"}
