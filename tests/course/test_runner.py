"""What a learner reads, for every way in which an answer can be wrong."""

from __future__ import annotations

import pytest

from tinygrad_llm.course.exercises import report as report_module
from tinygrad_llm.course.exercises.report import report
from tinygrad_llm.course.exercises.runner import run
from tinygrad_llm.course.exercises.stubs import without_marks

FIRST = "    y = np.exp(x - x.max(axis, keepdims=True))"
WAYS = {
    "overflow": (FIRST, "    y = np.exp(x)", ["big scores do not overflow", "nan at [0, 0] instead of 0.5", "softmax(np.array([[1000.0, 1000.0]]))[0]", "numpy said", "overflow encountered in exp", "meaning exp was taken of the scores themselves"]),
    "axis forgotten": ("y.sum(axis, keepdims=True)", "y.sum()", ["runs along the axis", "also red"]),
    "half a gradient": ("return y * (g", "return 0.5 * y * (g", ["the gradient by hand", "differs Every entry is exactly half of what it should be.", "vjp(np.array([1.0, 0.0]), (True,))"]),
    "a name that is not there": (FIRST, "    y = np.exp(z)", ["NameError: name 'z' is not defined", "work/e09/softmax.py:17 in softmax", "y = np.exp(z)"]),
    "a syntax error": ("def vjp(g, needs):", "def vjp(g, needs)", ["is not Python yet: expected ':'", "work/e09/softmax.py:20", "def vjp(g, needs)"]),
    "another name": ("def softmax(", "def sofmax(", ["defines no softmax", "Did you mean sofmax (line 16)?"]),
    "a loop that never ends": (FIRST, "    while True: pass", ["stopped after 3 s", "work/e09/softmax.py:17 in softmax()", "Does this loop ever end?"]),
    "a loop that never ends, after a red check": (FIRST, "    y = np.exp(x)\n    while x.max() > 999: pass\n    y += 1", ["stopped after 3 s", "work/e09/softmax.py:18 in softmax()"]),
    "no pair": ("return y, vjp", "return y", ["expected a pair (y, vjp)"]),
    "exit()": (FIRST, "    raise SystemExit(3)", ["SystemExit: 3"]),
    "a process that dies": (FIRST, "    import os; os._exit(3)", ["09.1 equal scores get equal shares", "the process ended while this check ran"]),
    "an argument changed": (FIRST, "    x -= x.max(axis, keepdims=True); y = np.exp(x)", ["a changed argument 0", "make a new one instead"]),
    "a breakpoint left in": (FIRST, "    breakpoint(); y = x", ["work/e09/softmax.py:18 waits at a breakpoint()", "Add --debug"]),
    "the other axis": ("x - x.max(axis, keepdims=True))\n    y = y / y.sum(axis, ", "x - x.max(-1, keepdims=True))\n    y = y / y.sum(-1, ", ["differs The rows sum to 1 where the columns should."]),
    "a float64 leak": ("    y = y / ", "    y = y * np.float64(1) / ", ["float32 stays float32", "but they are float64 instead of float32"]),
    "an import that fails": ("import numpy as np", "import numpyy as np", ["No module named 'numpyy'"]),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_each_wrong_way_is_told_what_it_is(way, course, softmax):
    right, wrong, words = WAYS[way]
    text = without_marks(course.solution(softmax).read_text())
    assert right in text
    own = course.own(softmax)
    own.parent.mkdir(parents=True)
    own.write_text(text.replace(right, wrong))
    outcome = run(course, softmax)
    assert not outcome.green
    said = report(course, outcome)
    flat = " ".join(said.split())
    assert all(w in flat for w in words), said
    assert "Traceback" not in said
    assert all(len(line) <= 80 or "you called" in line for line in said.splitlines())


def test_the_stub_says_where_to_begin(course, softmax):
    outcome = run(course, softmax, course.stub(softmax))
    said = " ".join(report(course, outcome).split())
    assert "chapters/exercises/stubs/e09/softmax.py:18 still says `raise Todo`. Replace that line." in said
    assert "test_09_1.py:13" in said and "tgl hint 09.1" in said


def test_the_solution_is_green_and_says_what_comes_next(course, softmax):
    outcome = run(course, softmax, course.solution(softmax))
    assert outcome.green and "10/10 checks" in report(course, outcome)
    hello = course.get("00.1")
    green = run(course, hello, course.solution(hello))
    assert "Compare: tgl solution 00.1. Next: tgl test 09.1, or keep" in report(course, green)
    assert "Compare: press s. Press n for 09.1, or keep" in report(course, green, keys=True)
    assert "That was the last one." in report(course, outcome)
    assert all(len(line) <= 80 for line in report(course, green).splitlines())


def test_what_is_not_started_yet_is_not_called_wrong(course, softmax):
    course.own(softmax).parent.mkdir(parents=True)
    text = course.stub(softmax).read_text()
    todo = next(line for line in text.splitlines() if "raise Todo" in line)
    course.own(softmax).write_text(text.replace(todo, "    y = np.exp(x) / np.exp(x).sum()"))
    said = report(course, run(course, softmax))
    assert "not started 3 checks" in said and "also red    each row has a maximum" in said
    assert "gradient" not in said


def test_what_was_printed_is_shown(course, softmax):
    course.own(softmax).parent.mkdir(parents=True)
    course.own(softmax).write_text(
        course.solution(softmax).read_text().replace("    # >>> y", "    print('here', x.shape)\n    # >>> y")
    )
    outcome = run(course, softmax)
    assert outcome.green and "you printed here (2,) | here (1, 2)" in report(course, outcome)


def test_a_broken_test_file_is_not_called_the_learners_mistake(course, softmax):
    course.test(softmax).write_text("import nothing_of_that_name\n")
    said = report(course, run(course, softmax, course.solution(softmax)))
    assert "this is not your mistake" in said and "nothing_of_that_name" in said


def test_where_the_report_fails_pytest_itself_is_shown(course, softmax, monkeypatch):
    outcome = run(course, softmax, course.stub(softmax))
    monkeypatch.setattr(report_module, "_lines", lambda *_: 1 / 0)
    said = report(course, outcome)
    assert "test_one_row" in said and "ZeroDivisionError" in said


def test_full_shows_the_traceback(course, softmax):
    outcome = run(course, softmax, course.stub(softmax))
    assert "raise Todo(" in report(course, outcome, full=True)


def test_a_terminal_without_these_signs_gets_letters(monkeypatch):
    class Old:
        encoding = "cp437"

    monkeypatch.setattr(report_module.sys, "stdout", Old())
    assert report_module.sign(True) == "ok" and report_module.sign(False) == "x"


def waits(course, softmax, seconds):
    """The learner's file: right, and it waits before it begins."""
    own = course.own(softmax)
    own.parent.mkdir(parents=True)
    text = without_marks(course.solution(softmax).read_text())
    own.write_text(text + f"\n\nimport time\n\ntime.sleep({seconds})\n")


def test_the_limit_is_one_of_computing_which_a_busy_machine_does_not_use_up(course, softmax):
    waits(course, softmax, 4)
    assert run(course, softmax, limit=3).green


def test_what_waits_for_ever_is_stopped_all_the_same(course, softmax):
    waits(course, softmax, 1e6)
    outcome = run(course, softmax, limit=0.5)
    assert not outcome.green and outcome.stopped is not None
    assert outcome.stopped["function"] == "<module>"


def test_each_check_has_its_own_time(course, softmax):
    own = course.own(softmax)
    own.parent.mkdir(parents=True)
    text = without_marks(course.solution(softmax).read_text())
    busy = "    busy.append(time.process_time())\n    while len(busy) <= 5 and time.process_time() < busy[-1] + 0.6:\n        pass\n"
    assert FIRST in text
    own.write_text("import time\n\nbusy = []\n" + text.replace(FIRST, busy + FIRST))  # five checks, 3 s together
    assert run(course, softmax, limit=2).green
