"""Files of predictions: what was said, and what should have been said, an example a line.

    {"prediction": "Paris", "reference": "Paris"}
    {"prediction": "a cat", "references": ["a cat", "the cat"], "confidence": 0.8, "prompt": "What is that?"}

"reference" may be one text or a list of them, and so may "references". A line may say how sure the model was
("confidence", 0 to 1), and what it was asked ("prompt"); anything else in it is left alone. Or two plain texts, the
predictions in one and a reference on the same line of the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygrad_llm.datasets.instructions import Fault, Form, read_records, shown_value, told
from tinygrad_llm.datasets.text import read_text
from tinygrad_llm.errors import DataError, StorageError, reason


@dataclass(frozen=True)
class Prediction:
    """text        what the model said.
    references  what it should have said; of several, each is right.
    confidence  how sure it was, 0 to 1, None where nobody says.
    prompt      what it was asked, "" where nobody says.
    """

    text: str
    references: tuple[str, ...]
    confidence: float | None = None
    prompt: str = ""


def texts_at(line: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """One text, or those of a list.  Raises ValueError that says what is wrong with the line."""
    given = line[key]
    texts = given if isinstance(given, list) else [given]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f'"{key}" must be a text, or a list of at least one, not {shown_value(given)}')
    return tuple(texts)


def text_at(line: Mapping[str, Any], key: str, default: str = "") -> str:
    """A text, which may be empty.  Raises ValueError that says what is wrong with the line."""
    text = line.get(key, default)
    if not isinstance(text, str):
        raise ValueError(f'"{key}" must be a text, not {shown_value(text)}')
    return text


def _prediction(key: str) -> Form:
    def read(line: Mapping[str, Any]) -> Prediction:
        sure = line.get("confidence")
        if sure is not None and (isinstance(sure, bool) or not isinstance(sure, int | float) or not 0 <= sure <= 1):
            raise ValueError(f'"confidence" must be a number from 0 to 1, not {shown_value(sure)}')
        return Prediction(text_at(line, "prediction"), texts_at(line, key), sure, text_at(line, "prompt"))

    return Form(("prediction", key), read)


FORMS = {"reference": _prediction("reference"), "references": _prediction("references")}
"""What a line of a file of predictions may be."""


def read_predictions(path: str | Path) -> list[Prediction]:
    """The lines of a file of JSON objects; empty lines are passed over.

    Raises DataError that lists each line which is not what it should be, for a file that cannot be read, and for an
    empty one.
    """
    records, faults = read_records(path, FORMS)
    refuse(path, faults, '"prediction" and "reference" on each line')
    return [record.value for record in records]


def read_lines(predictions: str | Path, references: str | Path) -> list[Prediction]:
    """Two plain texts of as many lines, the n-th of one beside the n-th of the other; an empty line is an empty text.

    Raises DataError where they have not as many lines, for JSON objects instead of texts, and as `read_text`.
    """
    said, wanted = lines_of(predictions), lines_of(references)
    for path, lines in ((predictions, said), (references, wanted)):
        if all(_is_object(line) for line in lines):
            next_step = "They hold references themselves: leave out the second file."
            raise DataError(str(path), "a plain text, beside another one", "JSON objects", next_step)
    if len(said) != len(wanted):
        next_step = f"{predictions} has {len(said)}: which line is missing, or too many?"
        raise DataError(str(references), f"{len(said)} lines, one a prediction", len(wanted), next_step)
    return [Prediction(text, (reference,)) for text, reference in zip(said, wanted)]


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def lines_of(path: str | Path) -> list[str]:
    """A plain text's lines, which end with a line break and nothing else."""
    return read_text(path, "lf").removesuffix("\n").split("\n")


def check_same_examples(first: Sequence[Prediction], second: Sequence[Prediction], names: Sequence[str]) -> None:
    """Raises DataError where two models' predictions are not of the same examples in the same order."""
    if len(first) != len(second):
        raise DataError(names[1], f"{len(first)} predictions, as {names[0]} has", len(second))
    for place, (one, other) in enumerate(zip(first, second), 1):
        if one.references != other.references or (one.prompt and other.prompt and one.prompt != other.prompt):
            what = f"the references {shown_value(list(one.references))}, as in {names[0]}"
            got = shown_value(list(other.references))
            raise DataError(f"{names[1]}, example {place}", what, got, "Both must be of the same examples, in order.")


def write_predictions(path: str | Path, predictions: Iterable[Prediction]) -> Path:
    """Writes a file that `read_predictions` reads.  Raises StorageError where the disk refuses."""
    lines = []
    for one in predictions:
        line: dict[str, Any] = {"prompt": one.prompt} if one.prompt else {}
        line |= {"prediction": one.text}
        line |= {"reference": one.references[0]} if len(one.references) == 1 else {"references": [*one.references]}
        line |= {} if one.confidence is None else {"confidence": one.confidence}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    try:
        Path(path).write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise StorageError(str(path), "a place that can be written", reason(error)) from error
    return Path(path)


def refuse(path: str | Path, faults: Sequence[Fault], expected: str) -> None:
    """Raises DataError that tells of each faulty line, the first ten of many, where there is one."""
    if faults:
        got = "one line that has not" if len(faults) == 1 else f"{len(faults)} lines that have not"
        raise DataError(str(path), expected, got, "\n".join(["", *told(path, faults)]))
