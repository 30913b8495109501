"""What a model did at its tasks, and what it is worth: answers, choices and texts, each with its scores.

    exam = sit(Examinee(model, tokenizer), read_tasks("tasks.jsonl"))
    for title, measured in exam_scores(exam, rng=np.random.default_rng(0)).items(): …

A file of predictions is scored in the same way, where somebody else let a model answer.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate.answers import exact_match
from tinygrad_llm.evaluate.ask import Examinee, by_byte, shares_of
from tinygrad_llm.evaluate.bootstrap import mean
from tinygrad_llm.evaluate.compare import Compared, compare, compare_rows, with_holm
from tinygrad_llm.evaluate.measure import Measured, measure, measure_confidence, measure_rows, ratio
from tinygrad_llm.evaluate.predictions import Prediction
from tinygrad_llm.evaluate.rows import METRICS, Progress, silently
from tinygrad_llm.evaluate.task import Choice, Question, Task, choices_of, passages_of, questions_of

ANSWERS, CHOICES, TEXTS = "Answers", "Choices", "Texts"
ACCURACY, BY_BYTE, ECE, BRIER, BITS = "accuracy", "accuracy-by-byte", "ece", "brier", "bits-per-byte"
KNOWN = (*METRICS, ACCURACY, BY_BYTE, ECE, BRIER, BITS)
"""All that `tgl eval --metric` takes: metrics of texts, those of choices, and that of a text that is foretold."""
LABELS = {
    ACCURACY: ("accuracy", "the choice of the largest ln p"),
    BY_BYTE: ("accuracy, by byte", "the choice of the largest ln p a byte"),
    BRIER: ("Brier score", "of the choice that was taken"),
    BITS: ("bits a byte", "the first token of each text is given"),
}
"""For tables, and how it is counted."""


@dataclass(frozen=True)
class Exam:
    """tasks      of all kinds, as they stand in their file.
    answers    a text a question.
    log_probs  of each choice an array (choices,).
    bits       (N, 2), bits and bytes of each text.
    """

    tasks: Sequence[Task]
    answers: Sequence[str]
    log_probs: Sequence[np.ndarray]
    bits: np.ndarray

    def predictions(self, kind: type = object) -> list[Prediction]:
        """What was said to questions and choices (or to one `kind` of them), in the order of the file."""
        answers, log_probs, found = iter(self.answers), iter(self.log_probs), []
        for task in self.tasks:
            if isinstance(task, Question):
                one = Prediction(next(answers), task.references, None, task.prompt)
            elif isinstance(task, Choice):
                shares = shares_of(next(log_probs))
                taken = int(shares.argmax())
                said, right = (task.choices[i].strip() for i in (taken, task.answer))
                one = Prediction(said, (right,), float(shares[taken]), task.prompt)
            else:
                continue
            if isinstance(task, kind):
                found.append(one)
        return found

    def choice_rows(self) -> dict[str, np.ndarray]:
        """Of each choice whether the likeliest is right, whether the likeliest by byte is, and how sure the model is of
        the likeliest.  (N,) each
        """
        pairs = [*zip(choices_of(self.tasks), self.log_probs)]
        return {
            ACCURACY: np.array([p.argmax() == task.answer for task, p in pairs], np.float64),
            BY_BYTE: np.array([by_byte(task, p).argmax() == task.answer for task, p in pairs], np.float64),
            "confidence": np.array([shares_of(p).max() for _, p in pairs], np.float64),
        }


def sit(examinee: Examinee, tasks: Sequence[Task]) -> Exam:
    """The model at its tasks.  Raises as `Examinee`'s methods."""
    passages = passages_of(tasks)
    return Exam(
        tasks, examinee.answers(questions_of(tasks)), examinee.choices(choices_of(tasks)),
        examinee.passages(passages) if passages else np.zeros((0, 2)),
    )  # fmt: skip


def check_names(names: Sequence[str]) -> None:
    """Raises ArgumentError for a metric that there is not."""
    for name in names:
        if name not in KNOWN:
            near = difflib.get_close_matches(name, KNOWN, 1)
            hint = f"Did you mean {near[0]}?" if near else ""
            raise ArgumentError("metric", f"one of {', '.join(KNOWN)}", repr(name), hint)


def exam_scores(
    exam: Exam,
    names: Sequence[str] = (),
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator,
    progress: Progress = silently,
) -> dict[str, list[Measured]]:
    """Scores by what was asked for, "Answers", "Choices", "Texts": those that are named, or all that apply.

    Raises ArgumentError for a name that is none, DataError where none of them applies.
    """
    check_names(names)
    common: dict[str, Any] = {"confidence": confidence, "resamples": resamples, "rng": rng}
    found: dict[str, list[Measured]] = {}
    said = exam.predictions(Question)
    if said and (texts := _of_texts(names)) is not None:
        found[ANSWERS] = measure(
            texts, [one.text for one in said], [one.references for one in said], progress=progress, **common
        )
    if exam.log_probs:
        rows = exam.choice_rows()
        scores = [
            measure_rows(name, LABELS[name][0], rows[name], mean, most=1, signature=LABELS[name][1], **common)
            for name in (ACCURACY, BY_BYTE)
        ]
        scores += measure_confidence(rows["confidence"], rows[ACCURACY], **common)
        found[CHOICES] = [one for one in scores if not names or one.name in names]
    if len(exam.bits) and (not names or BITS in names):
        label, how = LABELS[BITS]
        found[TEXTS] = [
            measure_rows(BITS, label, exam.bits, ratio, most=0, lower=True, signature=how, **common)
        ]  # fmt: skip
    return _not_empty(found, names)


def prediction_scores(
    predictions: Sequence[Prediction],
    names: Sequence[str] = (),
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator,
    progress: Progress = silently,
) -> dict[str, list[Measured]]:
    """The same of a file of predictions. Where each says how sure it was, how well that fits: right is exact match.

    Raises ArgumentError for a name that is none, DataError where none of them applies.
    """
    check_names(names)
    common: dict[str, Any] = {"confidence": confidence, "resamples": resamples, "rng": rng}
    found: dict[str, list[Measured]] = {}
    if (texts := _of_texts(names)) is not None:
        found[ANSWERS] = measure(
            texts, [one.text for one in predictions], [one.references for one in predictions],
            progress=progress, **common,
        )  # fmt: skip
    if (sure := confidences_of(predictions)) is not None:
        scores = measure_confidence(*sure, **common)
        found[ANSWERS] = found.get(ANSWERS, []) + [one for one in scores if not names or one.name in names]
    return _not_empty(found, names)


def confidences_of(predictions: Sequence[Prediction]) -> tuple[np.ndarray, np.ndarray] | None:
    """How sure each was and whether it was right, (N,) each, by exact match; None where not all say."""
    sure = [one.confidence for one in predictions]
    if not sure or None in sure:
        return None
    right = [exact_match(one.text, one.references) for one in predictions]
    return np.array(sure, np.float64), np.array(right, np.float64)


def prediction_comparison(
    first: Sequence[Prediction],
    second: Sequence[Prediction],
    names: Sequence[str] = (),
    *,
    progress: Progress = silently,
    **options: Any,
) -> list[Compared]:
    """Two models' predictions of the same examples; options as `compare` has them.  Raises as `prediction_scores`."""
    check_names(names)
    if (texts := _of_texts(names)) is None:
        raise DataError("metric", "one of texts, where predictions are compared", ", ".join(names))
    references = [one.references for one in first]
    return compare(
        texts, [one.text for one in first], [one.text for one in second], references, progress=progress, **options
    )


def exam_comparison(
    first: Exam, second: Exam, names: Sequence[str] = (), *, progress: Progress = silently, **options: Any
) -> list[Compared]:
    """Two models at the same tasks; options as `compare` has them.  Raises as `exam_scores`."""
    check_names(names)
    found: list[Compared] = []
    said, other = first.predictions(Question), second.predictions(Question)
    if said and (texts := _of_texts(names)) is not None:
        found += prediction_comparison(said, other, texts, progress=progress, **options)
    rows: Callable[..., Compared] = partial(compare_rows, **options)
    if first.log_probs:
        one, two = first.choice_rows(), second.choice_rows()
        found += [rows(name, LABELS[name][0], one[name], two[name], mean) for name in (ACCURACY, BY_BYTE)]
        squares = [np.square(each["confidence"] - each[ACCURACY]) for each in (one, two)]
        found.append(rows(BRIER, LABELS[BRIER][0], *squares, mean, lower=True))
    if len(first.bits):
        found.append(rows(BITS, LABELS[BITS][0], first.bits, second.bits, ratio, lower=True))
    found = [one for one in found if not names or one.name in names]
    if not found:
        raise DataError("metric", "one that applies to these tasks", ", ".join(names) or "no tasks")
    return with_holm(found)


def _of_texts(names: Sequence[str]) -> list[str] | None:
    """The metrics of texts among those named: [] for all, where none is named; None where others are."""
    texts = [name for name in names if name in METRICS]
    return texts if texts or not names else None


def _not_empty(found: dict[str, list[Measured]], names: Sequence[str]) -> dict[str, list[Measured]]:
    """What there is.  Raises DataError for a metric that is named and applies to none of it."""
    applied = {one.name for part in found.values() for one in part}
    if missing := [name for name in names if name not in applied]:
        raise DataError("metric", f"those that apply here: {', '.join(sorted(applied)) or 'others'}", missing[0])
    return {title: part for title, part in found.items() if part}
