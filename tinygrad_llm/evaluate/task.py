"""Files of tasks, an example a line, for any model: a question, a choice, or a text to foretell.

    {"prompt": "The capital of France is", "reference": "Paris"}
    {"prompt": "The capital of France is", "choices": [" Lyon", " Paris"], "answer": 1}
    {"text": "Paris lies on the Seine."}

A question is answered by the model's likeliest words, and the answer held against the references ("reference", or
"references", a text or a list). Its answer ends before "stop" (a text or a list; a line break where the line says
nothing) and has at most "tokens" tokens. Of a choice the one is taken that the model thinks likeliest to follow the
prompt; "answer" is the right one, its number from 0 or its text. Of a text it is measured how well it is foretold.
Lines of all kinds may stand in one file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinygrad_llm.datasets.instructions import Form, read_records, shown_value, text_of
from tinygrad_llm.evaluate.predictions import refuse, texts_at


@dataclass(frozen=True)
class Question:
    """prompt, and the references that an answer is held against; `stop` is None, and `tokens` too, where the file says
    nothing.  line: its number in the file.
    """

    line: int
    prompt: str
    references: tuple[str, ...]
    stop: tuple[str, ...] | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class Choice:
    """prompt, the choices as they follow it, and the number of the right one.  line: its number in the file."""

    line: int
    prompt: str
    choices: tuple[str, ...]
    answer: int


@dataclass(frozen=True)
class Passage:
    """A text to foretell.  line: its number in the file."""

    line: int
    text: str


Task = Question | Choice | Passage


def _question(key: str) -> Form:
    def read(line: Mapping[str, Any]) -> Question:
        tokens = line.get("tokens")
        if tokens is not None and (isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 1):
            raise ValueError(f'"tokens" must be a whole number of at least 1, not {shown_value(tokens)}')
        stop = texts_at(line, "stop") if "stop" in line else None
        if stop is not None and "" in stop:
            raise ValueError('"stop" must not hold an empty text: every answer contains it')
        return Question(0, text_of(line, "prompt"), texts_at(line, key), stop, tokens)

    return Form(("prompt", key), read)


def _choice(line: Mapping[str, Any]) -> Choice:
    choices = line["choices"] if isinstance(line["choices"], list) else []
    if len(choices) < 2 or not all(isinstance(text, str) and text for text in choices):
        raise ValueError(f'"choices" must be a list of at least two texts, not {shown_value(line["choices"])}')
    if len(set(choices)) < len(choices):
        raise ValueError('"choices" has a text twice')
    answer = line["answer"]
    if isinstance(answer, str) and answer in choices:
        answer = choices.index(answer)
    if isinstance(answer, bool) or not isinstance(answer, int) or not 0 <= answer < len(choices):
        wanted = f"one of the choices, or its number from 0 to {len(choices) - 1}"
        raise ValueError(f'"answer" must be {wanted}, not {shown_value(line["answer"])}')
    return Choice(0, text_of(line, "prompt"), tuple(choices), answer)


FORMS = {
    "choice": Form(("prompt", "choices", "answer"), _choice),
    "question": _question("reference"),
    "questions": _question("references"),
    "passage": Form(("text",), lambda line: Passage(0, text_of(line, "text"))),
}
"""What a line of a file of tasks may be; the first whose keys it has is its own."""


def read_tasks(path: str | Path) -> list[Task]:
    """The lines of a file of JSON objects; empty lines are passed over.

    Raises DataError that lists each line which is not what it should be, for a file that cannot be read, and for an
    empty one.
    """
    records, faults = read_records(path, FORMS)
    refuse(path, faults, '"prompt" with "reference" or "choices" and "answer", or "text", on each line')
    return [replace(record.value, line=record.line) for record in records]


def questions_of(tasks: Sequence[Task]) -> list[Question]:
    """Those that are questions."""
    return [task for task in tasks if isinstance(task, Question)]


def choices_of(tasks: Sequence[Task]) -> list[Choice]:
    """Those that are choices."""
    return [task for task in tasks if isinstance(task, Choice)]


def passages_of(tasks: Sequence[Task]) -> list[Passage]:
    """Those that are texts to foretell."""
    return [task for task in tasks if isinstance(task, Passage)]
