"""A learner's file is a module like any other: what works in Python works in it."""

from __future__ import annotations

import codecs
import json
import subprocess
import sys

import pytest

from tinygrad_llm.course.exercises.mine import VARIABLE
from tinygrad_llm.course.exercises.report import report
from tinygrad_llm.course.exercises.runner import child_environment, run
from tinygrad_llm.course.exercises.stubs import without_marks

STYLES = {
    "a dataclass": """
from dataclasses import dataclass

@dataclass
class Config:
    k: int = 2

assert Config().k == 2
""",
    "a dataclass with annotations as text": """
from dataclasses import dataclass, fields

@dataclass
class Config:
    k: "int" = 2

assert [f.name for f in fields(Config)] == ["k"]
""",
    "annotations are what was written, since the file has no __future__ import": """
def scaled(x: float) -> float:
    return x

assert scaled.__annotations__ == {"x": float, "return": float}
""",
    "pickle": """
import pickle

class Config:
    k = 2

def f(x):
    return x

assert type(pickle.loads(pickle.dumps(Config()))) is Config and pickle.loads(pickle.dumps(f)) is f
""",
    "inspect.getsource": """
import inspect

class Config:
    k = 2

def f(x):
    return x

assert inspect.getsource(Config).endswith("k = 2\\n") and inspect.getsource(f).startswith("def f(x)")
""",
    "typing.get_type_hints": """
import typing

class Node:
    parent: "Node | None" = None

assert typing.get_type_hints(Node) == {"parent": Node | None}
""",
    "an Enum": """
import enum
import pickle

Made = enum.Enum("Made", "A B")

class Written(enum.Enum):
    A = 1

assert pickle.loads(pickle.dumps(Written.A)) is Written.A and pickle.loads(pickle.dumps(Made.B)) is Made.B
""",
    "a NamedTuple": """
import pickle
import typing

class Pair(typing.NamedTuple):
    a: int
    b: int = 3

assert pickle.loads(pickle.dumps(Pair(1))) == (1, 3)
""",
    "its own module": """
import sys

assert vars(sys.modules[__name__]) is globals() and sys.modules[__name__].__file__ == __file__
""",
}
ENCODINGS = {
    "a byte order mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "a coding cookie": lambda text: ("# coding: latin-1\n" + text + "\nassert ord('é') == 233\n").encode("latin-1"),
    "carriage returns": lambda text: text.replace("\n", "\r\n").encode(),
}


def written(course, softmax, content: bytes):
    own = course.own(softmax)
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_bytes(content)
    return own


def right(course, softmax) -> str:
    """The solution of 09.1."""
    return without_marks(course.solution(softmax).read_text())


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_may_use_any_of_python(style, course, softmax):
    written(course, softmax, (right(course, softmax) + STYLES[style]).encode())
    outcome = run(course, softmax)
    assert outcome.green, report(course, outcome)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_right_answer_is_green_in_any_encoding_that_python_reads(encoding, course, softmax):
    written(course, softmax, ENCODINGS[encoding](right(course, softmax)))
    outcome = run(course, softmax)
    assert outcome.green, report(course, outcome)


@pytest.mark.parametrize("encoding", ["a byte order mark", "a coding cookie"])
def test_a_misspelt_name_is_found_in_any_encoding_that_python_reads(encoding, course, softmax):
    written(course, softmax, ENCODINGS[encoding](right(course, softmax).replace("def softmax(", "def sofmax(")))
    assert "Did you mean sofmax" in " ".join(report(course, run(course, softmax)).split())


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"x = '\xff'\n", "can't decode byte 0xff"), (b"# coding: nothing\n", "unknown encoding: nothing"), (b"x = 1\0\n", "null bytes")],
)  # fmt: skip
def test_a_file_that_is_no_text_is_said_to_be_no_python(content, words, course, softmax):
    written(course, softmax, content)
    said = " ".join(report(course, run(course, softmax)).split())
    assert "is not Python yet" in said and words in said and "Traceback" not in said


SCRIPT = """
import inspect
import pickle
from tinygrad_llm.autograd.scalar import Value

assert type(pickle.loads(pickle.dumps(Value()))) is Value and "k: int" in inspect.getsource(Value)
print(Value().k)
"""
VALUE = """
from dataclasses import dataclass
import typing

@dataclass
class Value:
    k: int = 2
    other: "Value | None" = None

    def __post_init__(self):
        assert typing.get_type_hints(type(self))["k"] is int
"""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_chapter_runs_on_an_answer_that_uses_any_of_python(encoding, tmp_path):
    script, value = tmp_path / "script.py", tmp_path / "value.py"
    script.write_text(SCRIPT)
    value.write_bytes(ENCODINGS[encoding](VALUE))
    environment = child_environment(**{VARIABLE: json.dumps({"tinygrad_llm.autograd.scalar.Value": str(value)})})
    command = [sys.executable, "-m", "tinygrad_llm.course.exercises.mine", str(script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("2\n"), done.stderr
