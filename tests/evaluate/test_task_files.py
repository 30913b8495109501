"""Files of tasks: each kind is read with its line, and each bad line is told."""

from __future__ import annotations

import json

import pytest

from tinygrad_llm.errors import DataError
from tinygrad_llm.evaluate.task import Choice, Passage, Question, choices_of, passages_of, questions_of, read_tasks


def file(tmp_path, *lines):
    path = tmp_path / "tasks.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_every_kind_is_read_with_its_line(tmp_path):
    tasks = read_tasks(
        file(
            tmp_path,
            {"prompt": "q", "reference": "a"},
            {"prompt": "q", "choices": ["x", "y"], "answer": 1, "reference": "not read"},
            "",
            {"text": "t t"},
            {"prompt": "q", "references": ["a", "b"], "stop": ".", "tokens": 3, "id": "i"},
            {"prompt": "q", "choices": ["x", "0"], "answer": "0"},
            {"prompt": "q", "reference": "", "stop": ["a", "b"]},
        )
    )
    assert tasks == [
        Question(1, "q", ("a",)), Choice(2, "q", ("x", "y"), 1), Passage(4, "t t"), Question(5, "q", ("a", "b"), (".",), 3),
        Choice(6, "q", ("x", "0"), 1), Question(7, "q", ("",), ("a", "b")),
    ]  # fmt: skip
    parts = questions_of(tasks), choices_of(tasks), passages_of(tasks)
    assert [[task.line for task in part] for part in parts] == [[1, 5, 7], [2, 6], [4]]


GOOD = {"prompt": "q", "choices": ["x", "y"], "answer": 0}
BAD = [
    ({"prompt": "q"}, 'has "prompt"'), ({"question": "q"}, 'has "question"'), ({"prompt": "q", "choices": ["x", "y"]}, '"choices"'),
    (GOOD | {"answer": 2}, '"answer" must be one of the choices, or its number from 0 to 1, not 2'), (GOOD | {"answer": -1}, '"answer"'),
    (GOOD | {"answer": True}, '"answer"'), (GOOD | {"answer": "z"}, '"answer"'), (GOOD | {"choices": ["x"]}, "at least two"),
    (GOOD | {"choices": "xy"}, "at least two"), (GOOD | {"choices": ["x", ""]}, "at least two"), (GOOD | {"choices": ["x", "x"]}, "twice"),
    (GOOD | {"prompt": " "}, '"prompt" must be text, not " "'), ({"prompt": 3, "reference": "a"}, '"prompt" must be text, not 3'), ({"text": "\n"}, '"text" must be text, not'),
    ({"prompt": "q", "reference": "a", "stop": ""}, '"stop"'), ({"prompt": "q", "reference": "a", "stop": 3}, '"stop"'),
    ({"prompt": "q", "reference": "a", "tokens": 0}, '"tokens"'), ({"prompt": "q", "reference": "a", "tokens": True}, '"tokens"'),
    ({"prompt": "q", "reference": 3}, '"reference"'), ("{", "no JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "words"), BAD, ids=lambda value: str(value)[:40])
def test_a_bad_line_is_told_with_its_file_and_number(line, words, tmp_path):
    path = file(tmp_path, {"text": "t"}, line)
    with pytest.raises(DataError) as found:
        read_tasks(path)
    told = str(found.value).splitlines()
    assert f"{path}:2: " in told[1] and words in told[1] and len(told) == 2
