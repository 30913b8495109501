"""What `tgl eval` prints, and its page: tables of scores and of comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinygrad_llm.course.table import table
from tinygrad_llm.evaluate.compare import TESTS, Compared
from tinygrad_llm.evaluate.exam import ACCURACY, CHOICES, Exam, confidences_of
from tinygrad_llm.evaluate.measure import JACKKNIFE, Measured
from tinygrad_llm.evaluate.predictions import Prediction
from tinygrad_llm.evaluate.report import (
    LEVEL,
    Section,
    calibration_section,
    chance,
    comparison_section,
    direction,
    examples_section,
    method_section,
    numbers,
    scores_section,
    signed,
    verdict,
    write_report,
)


def print_measured(scores: Mapping[str, Sequence[Measured]], confidence: float) -> None:
    """A table of scores for each part."""
    for title, measured in scores.items():
        rows = []
        for one in measured:
            score, low, high = numbers(one.score, one.low, one.high)
            star = " *" * (one.interval == JACKKNIFE)
            rows.append((one.label, score, f"{low} to {high}{star}", direction(one.lower, one.most)))
        print(f"\n{table(rows, [title.lower(), 'score', f'{confidence:.0%} interval', 'scale'])}")
    starred = any(one.interval == JACKKNIFE for measured in scores.values() for one in measured)
    print("\nIntervals: the bootstrap's" + (", * the jackknife's." if starred else "."))


def print_compared(
    compared: Sequence[Compared], names: tuple[str, str], count: int, test: str, confidence: float
) -> None:
    """A table of differences, and what they say."""
    print(f"A  {names[0]}\nB  {names[1]}\n{count:,} examples\n")
    rows = []
    for one in compared:
        first, second, difference, low, high = numbers(one.first, one.second, one.difference, one.low, one.high)
        chances = chance(one.p_value), chance(one.holm)
        rows.append((one.label, first, second, signed(difference), f"{low} to {high}", *chances, verdict(one)))
    heads = ["metric", "A", "B", "A - B", f"{confidence:.0%} interval", "p", "Holm's p", f"at {LEVEL:g}"]
    print(table(rows, heads, 100))
    print(f"\np by {TESTS[test]}; Holm's p holds for all {len(rows)} metrics together.")


def scores_report(
    path: str,
    facts: Mapping[str, Any],
    scores: Mapping[str, Sequence[Measured]],
    confidence: float,
    predictions: Sequence[Prediction],
    exam: Exam | None,
) -> Path:
    """Writes the page of one model, or of one file of predictions."""
    sections: list[Section] = [scores_section(title, part, confidence) for title, part in scores.items()]
    if exam is not None and exam.log_probs:
        rows = exam.choice_rows()
        sure, right, told = rows["confidence"], rows[ACCURACY], f"{CHOICES.lower()}: p of the choice taken"
        sections.append(calibration_section("Does it know what it knows?", sure, right, told))
    elif exam is None and (found := confidences_of(predictions)) is not None:
        sections.append(calibration_section("Does it know what it knows?", *found, "right is exact match"))
    sections.append(method_section([one for part in scores.values() for one in part], confidence))
    if predictions:
        sections.append(examples_section(predictions))
    return write_report(path, "How good is it?", facts, sections)


def comparison_report(
    path: str,
    facts: Mapping[str, Any],
    compared: Sequence[Compared],
    names: tuple[str, str],
    test: str,
    confidence: float,
) -> Path:
    """Writes the page of a comparison."""
    return write_report(
        path, "Which is better?", facts, [comparison_section(compared, names, test, confidence)]
    )  # fmt: skip
