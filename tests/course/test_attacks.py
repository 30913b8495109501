"""A wrong answer is red, whatever it does to the process that checks it, and nothing that it started outlives it."""

from __future__ import annotations

import os
import time

import pytest

from tinygrad_llm.course.exercises.report import report
from tinygrad_llm.course.exercises.runner import run
from tinygrad_llm.course.exercises.stubs import without_marks

WRONG = "    y = np.exp(x)\n    y = y / y.sum()\n    return y, lambda g, needs: g\n"
HEAD = (
    "import os, sys\nimport numpy as np\n\ncalls = 0\n\n\ndef softmax(x, axis=-1):\n    global calls\n    calls += 1\n"
)
LATER = HEAD + "    if calls > 1:\n        {}\n" + WRONG
"""Right in the first check, and then it does something."""


def checked(course, softmax, text, **options):
    own = course.own(softmax)
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(text)
    outcome = run(course, softmax, **options)
    return outcome, " ".join(report(course, outcome).split())


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("os._exit(0)", ["one row", "the process ended while this check ran", "green 1 of 10 checks"]),
        ("raise KeyboardInterrupt", ["one row", "KeyboardInterrupt", "you called softmax("]),
        ("raise SystemExit(0)", ["one row", "SystemExit"]),
        ("import pytest; pytest.exit('done', returncode=0)", ["Exit: done"]),
        ("import pytest; pytest.skip('no time')", ["Skipped: no time"]),
        ("return type('A', (), {'__repr__': lambda self: 1 / 0})(), len", ["whose repr raised ZeroDivisionError"]),
        ("raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})()", ["its message raised ZeroDivisionError"]),
        ("np.allclose = lambda *a, **k: True", ["replaced numpy.allclose"]),
        ("np.isclose = lambda *a, **k: True", ["replaced numpy.isclose"]),
        ("from tinygrad_llm.course.exercises import calls as c; c.same = lambda *a: True", ["replaced tinygrad_llm.course.exercises.calls.same"]),
        ("from tinygrad_llm.course.exercises.calls import Call; Call.value = lambda *a, **k: None", ["replaced Call.value"]),
        ("from tinygrad_llm.course.exercises.calls import Call; Call.value.__code__ = (lambda *a, **k: None).__code__", ["replaced Call.value"]),
        ("import builtins; builtins.isinstance = lambda *a: True", ["red"]),
    ],
)  # fmt: skip
def test_a_wrong_answer_that_leaves_or_replaces_something_is_red(what, words, course, softmax):
    outcome, said = checked(course, softmax, LATER.format(what))
    assert not outcome.green
    assert all(w in said for w in words) or words == ["red"], said


def test_a_right_answer_that_interrupts_while_it_is_read_is_red(course, softmax):
    right = without_marks(course.solution(softmax).read_text())
    outcome, said = checked(course, softmax, right + "\nraise KeyboardInterrupt\n")
    assert not outcome.green and "KeyboardInterrupt" in said


def test_a_report_that_an_answer_writes_is_not_believed(course, softmax):
    forge = "open(sys.argv[3], 'a').write('{\"kind\": \"passed\"}\\n' * 9) if len(sys.argv) > 3 else None"
    outcome, _ = checked(course, softmax, LATER.format(forge + "; os._exit(0)"))
    assert not outcome.green and sum(c["kind"] == "passed" for c in outcome.checks) == 1


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{process}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


needs_fork = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs fork and /proc")


@needs_fork
@pytest.mark.parametrize("leaves", ["", "os._exit(0)"])
def test_what_an_answer_started_ends_with_it(leaves, course, softmax, tmp_path):
    note = tmp_path / "process"
    start = (
        f"import subprocess; open({str(note)!r}, 'w').write(str(subprocess.Popen(['sleep', '100000']).pid)); {leaves}"
    )
    checked(course, softmax, LATER.format(start))
    process = int(note.read_text())
    for _ in range(200):  # it was killed before; the system may need a moment
        if not alive(process):
            break
        time.sleep(0.05)
    assert not alive(process)


@needs_fork
def test_a_fork_in_the_function_neither_hangs_nor_counts_twice(course, softmax):
    right = without_marks(course.solution(softmax).read_text())
    body = "    y = np.exp(x - x.max(axis, keepdims=True))"
    assert body in right
    forks = "    import os\n    global child\n    if not child:\n        child = os.fork() or -1\n" + body
    text = right.replace(body, forks).replace("import numpy as np", "import numpy as np\n\nchild = 0")
    outcome, said = checked(course, softmax, text)
    assert outcome.green and outcome.count == len(outcome.checks), said
    outcome, said = checked(
        course,
        softmax,
        text.replace(
            "child = os.fork() or -1",
            "child = os.fork() or -1\n        if child < 0:\n            import time\n            time.sleep(1e6)",
        ),
    )
    assert outcome.green, said  # the child sleeps: it is ended, and nobody waits for it


CLASSES = """\ufeff# -*- coding: utf-8 -*-
import enum, inspect, pickle, typing
from dataclasses import dataclass

import numpy as np


@dataclass
class Kept:
    k: int = 2
    m: "Kept | None" = None


class Way(enum.Enum):
    ALONG = 1


assert pickle.loads(pickle.dumps(Kept(3))) == Kept(3)
assert "Kept" in inspect.getsource(Kept)
assert typing.get_type_hints(Kept)["k"] is int
assert Kept.__annotations__["k"] is int
"""


def test_a_learners_file_is_executed_as_python_executes_a_module(course, softmax):
    right = without_marks(course.solution(softmax).read_text())
    own = course.own(softmax)
    outcome, said = checked(course, softmax, CLASSES + right)
    assert outcome.green, said
    own.write_bytes("# -*- coding: latin-1 -*-\nname = 'é'\nassert len(name) == 1\n".encode("latin-1") + right.encode())
    assert run(course, softmax).green
