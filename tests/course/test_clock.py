"""A loop is blamed only where the learner's code computes without an end, however slow the machine and the checks are."""

from __future__ import annotations

import pytest

from tinygrad_llm.course.exercises.report import report
from tinygrad_llm.course.exercises.runner import run

BURN = """
import time

def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""
LIMIT = 1.0


@pytest.fixture
def found(course, softmax):
    """Runs checks on an answer, both given as text, and tells the outcome."""

    def run_on(checks: str, answer: str, limit: float = LIMIT):
        course.test(softmax).write_text(checks)
        own = course.own(softmax)
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(answer)
        return run(course, softmax, limit=limit)

    return run_on


def said(course, outcome) -> str:
    return " ".join(report(course, outcome).split())


def test_each_check_has_the_whole_time(course, found):
    checks = "\n".join(f"def test_{i}(mine):\n    mine.burn(0.6)\n" for i in range(4))
    outcome = found(checks, BURN)
    assert outcome.green and len(outcome.checks) == 4, said(course, outcome)


def test_what_the_check_itself_computes_is_not_counted(course, found):
    outcome = found(f"{BURN}\ndef test_slow(mine):\n    mine.f()\n    burn(2)\n    mine.f()\n", "def f():\n    pass\n")
    assert outcome.green, said(course, outcome)


def test_what_the_learners_file_imports_is_not_counted(course, found):
    (course.root / "slow_library.py").write_text(f"{BURN}\nburn(2)\n")
    outcome = found("def test_it(mine):\n    mine.f()\n", "import slow_library\n\ndef f():\n    pass\n")
    assert outcome.green, said(course, outcome)


@pytest.mark.parametrize(
    ("answer", "line", "function"),
    [
        ("def f():\n    while True:\n        pass\n", (2, 3), "f()"),
        ("while True:\n    pass\n", (1, 2), "<module>()"),
        ("def g(x):\n    return x\n\ndef f():\n    while True:\n        g(1)\n", (1, 2, 5, 6), ""),
        ("def f():\n    while True:\n        sorted(range(9999))\n", (2, 3), "f()"),
    ],
    ids=["a function", "the file itself", "one that calls another", "one that calls a library"],
)
def test_a_loop_without_an_end_is_named_with_its_line(course, found, answer, line, function):
    outcome = found("def test_first(mine):\n    pass\n\ndef test_it(mine):\n    mine.f()\n", answer)
    assert outcome.stopped is not None and outcome.stopped["at"] in line
    assert f"{function} is still running. Does this loop ever end?" in said(course, outcome)


def test_what_waits_is_not_said_to_be_a_loop(course, found):
    outcome = found("def test_it(mine):\n    mine.f()\n", "import time\n\ndef f():\n    time.sleep(1e6)\n", limit=0.1)
    assert outcome.stopped == {"computed": False, "at": 4, "function": "f"}
    words = said(course, outcome)
    assert "stopped after 30 s" in words and "Does it wait for something" in words and "loop" not in words


def test_what_runs_in_the_interpreters_own_code_is_ended_too(found):
    answer = "import itertools\n\ndef f():\n    return sum(itertools.repeat(0))\n"
    outcome = found("def test_it(mine):\n    mine.f()\n", answer, limit=0.1)
    assert outcome.stopped == {"computed": False, "at": 4, "function": "f"}


def test_a_check_that_does_not_end_by_itself_is_not_the_learners_fault(course, found):
    outcome = found(
        "import time\n\ndef test_it(mine):\n    mine.f()\n    time.sleep(1e6)\n", "def f():\n    pass\n", 0.1
    )
    assert not outcome.green and outcome.stopped == {"computed": False}
    assert "while none of your code was running. Try it again" in said(course, outcome)
