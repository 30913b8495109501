"""The checks of one answer, event by event: made in a fork of this process, which sees what this process has loaded."""

from __future__ import annotations

import os

import pytest

from tinygrad_llm.course.exercises.runner import forked
from tinygrad_llm.course.exercises.stubs import without_marks

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
CHECKS = """
import numpy as np
from tinygrad_llm.course.exercises.calls import call


def test_two_is_doubled(mine):
    call(mine.double, 2.0).gives(4.0)


def test_nothing_is_doubled(mine):
    call(mine.double, 0.0).gives(0.0)


def test_an_array_is_doubled(mine):
    call(mine.double, np.array([1.0, 3.0])).gives(np.array([2.0, 6.0]))
"""
LINES = [6, 10, 14]
NAMES = ["two is doubled", "nothing is doubled", "an array is doubled"]


@pytest.fixture
def checked(course, softmax):
    """What is found of an answer: (kinds by check, the outcome)."""
    course.test(softmax).write_text(CHECKS)
    for path in course.mutants(softmax):
        path.unlink()
    known = course.home / "mutants" / softmax.id
    (known / "a.py").write_text(
        "# expect: two is doubled\n# means: It was squared.\ndef double(x):\n    return x * x\n"
    )
    (known / "b.py").write_text("# expect: two is doubled\n# means: One was added.\ndef double(x):\n    return x + 1\n")
    (known / "aa.py").write_text(
        "# expect: two is doubled\n# means: Half was added.\ndef double(x):\n    return x * 1.5\n"
    )
    (known / "c.py").write_text("# expect: two\n# means: The half was taken.\ndef double(x):\n    return x / 2\n")

    def check(text, explain=True, limit=3.0):
        own = course.own(softmax)
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(text)
        outcome = forked(course, softmax, own, limit, explain)
        return [c["kind"] for c in outcome.checks], outcome

    return check


def test_a_right_answer_passes_each_check_with_its_name_and_line(checked):
    kinds, outcome = checked("def double(x):\n    print('seen', x)\n    return 2 * x\n")
    assert kinds == ["passed"] * 3 and outcome.green and outcome.count == 3 and outcome.reason == ""
    assert [c["name"] for c in outcome.checks] == NAMES and [c["line"] for c in outcome.checks] == LINES
    assert [c["printed"] for c in outcome.checks] == ["seen 2.0\n", "seen 0.0\n", "seen [1. 3.]\n"]


def test_a_wrong_answer_is_told_its_call_and_the_known_mistake_that_all_checks_fit(checked):
    kinds, outcome = checked("def double(x):\n    y = x + 2\n    return y - 1\n")
    assert kinds == ["expectation"] * 3 and outcome.reason == "One was added." and not outcome.green
    first = outcome.checks[0]
    assert (first["called"], first["got"], first["expected"]) == ("double(2.0)", "3", "4")
    assert first["differs"] == "3 instead of 4."
    kinds, outcome = checked("def double(x):\n    return x ** 2\n")  # right for 2 and for 0
    assert kinds == ["passed", "passed", "expectation"] and outcome.reason == "It was squared."
    kinds, outcome = checked("def double(x):\n    return x + x / 2\n")  # 3 for 2, as x + 1 is: the next check decides
    assert kinds == ["expectation", "passed", "expectation"] and outcome.reason == "Half was added."
    mixed = (
        "def double(x):\n    return x * 1.5 if hasattr(x, 'shape') else x + 1\n"  # the first red check is what is shown
    )
    assert checked(mixed)[1].reason == "One was added."
    assert checked("def double(x):\n    return x + 5\n")[1].reason == ""


def test_without_a_reason_the_first_red_check_ends_it(checked):
    kinds, outcome = checked("def double(x):\n    return x + 1\n", explain=False)
    assert kinds == ["expectation"] and outcome.count == 3 and outcome.reason == ""
    assert checked("def double(x):\n    return 2 * x\n", explain=False)[1].green


RAISING = "def inner(x):\n    return {}[x]\n\n\ndef double(x):\n    return inner(1) if x is not None else x\n"


def test_what_an_answer_raises_is_told_with_the_deepest_line_of_its_own(checked):
    kinds, outcome = checked(RAISING)
    first = outcome.checks[0]
    assert kinds == ["raised"] * 3 and (first["error"], first["called"]) == ("KeyError: 1", "double(2.0)")
    assert (first["at"], first["function"], first["source"]) == (2, "inner", "return {}[x]")
    kinds, outcome = checked("def double(x):\n    raise ValueError\n")
    assert outcome.checks[0]["error"] == "ValueError: no message"
    kinds, outcome = checked("def double(x):\n    raise KeyboardInterrupt('now')\n")
    assert kinds == ["raised"] * 3 and outcome.checks[0]["error"] == "KeyboardInterrupt: now"


def test_what_is_not_there_not_python_or_not_begun_is_told_as_such(checked):
    kinds, outcome = checked("def doubel(x):\n    return 2 * x\n")
    first = outcome.checks[0]
    assert kinds == ["missing"] * 3 and (first["wanted"], first["near"], first["at"]) == ("double", "doubel", 1)
    kinds, outcome = checked("def double(x)\n    return 2 * x\n")
    first = outcome.checks[0]
    assert (
        kinds == ["syntax"] * 3
        and (first["at"], first["text"]) == (1, "expected ':'")
        and first["source"] == "def double(x)"
    )
    todo = "from tinygrad_llm.course import Todo\n\n\ndef double(x):\n    if x is not None:\n        raise Todo('twice x')\n"
    kinds, outcome = checked(todo)
    assert kinds == ["todo"] * 3 and (outcome.checks[0]["at"], outcome.checks[0]["text"]) == (6, "twice x")
    assert checked("def double(x):\n    raise NotImplementedError\n")[0] == ["todo"] * 3


def test_what_numpy_says_of_the_learners_own_lines_is_told(checked):
    _, outcome = checked("import numpy as np\n\n\ndef double(x):\n    return np.exp(1e4 * np.sign(x)) + np.array(x)\n")
    (said,) = outcome.checks[0]["warned"]
    assert "overflow" in said and said.endswith("(line 5)")
    assert outcome.checks[1]["warned"] == []
    _, outcome = checked("import numpy as np\n\n\ndef double(x):\n    np.mean([])\n    return 2 * x + 1\n")
    assert outcome.checks[0]["warned"] == []  # of an empty mean NumPy's own lines complain


def test_a_check_that_replaces_what_others_use_is_red(checked):
    kinds, outcome = checked(
        "import numpy as np\n\n\ndef double(x):\n    np.isclose = lambda *a, **k: True\n    return 0.0 * x\n"
    )
    assert "passed" not in kinds and outcome.checks[0]["what"] == "numpy.isclose"
    code = "from tinygrad_llm.course.exercises import calls\n\n\ndef double(x):\n    calls.same.__code__ = (lambda *a: True).__code__\n    return 0.0 * x\n"
    kinds, outcome = checked(code)
    assert "passed" not in kinds and outcome.checks[0]["what"].endswith(".same")


def test_an_answer_that_ends_the_process_or_never_ends_is_red_where_it_stood(checked):
    kinds, outcome = checked(
        "import os\n\n\ndef double(x):\n    return 2 * x if hasattr(x, 'shape') or x else os._exit(0)\n"
    )
    assert kinds == ["passed", "ended"] and not outcome.green and outcome.stopped is None
    kinds, outcome = checked("def double(x):\n    while x == 2.0:\n        pass\n    return x\n", limit=0.5)
    assert outcome.stopped in ({"at": 2, "function": "double"}, {"at": 3, "function": "double"}) and not outcome.green


def test_each_check_has_its_own_time(checked):
    busy = "    end = time.process_time() + 1\n    while time.process_time() < end:\n        pass\n"
    assert checked(f"import time\n\n\ndef double(x):\n{busy}    return 2 * x\n", limit=2.7)[1].green  # 3 s together


def test_checks_that_cannot_be_read_are_no_fault_of_the_answer(checked, course, softmax):
    course.test(softmax).write_text("import nothing_of_that_name\n")
    kinds, outcome = checked(without_marks("def double(x):\n    return 2 * x\n"))
    assert kinds == ["broken"] and "nothing_of_that_name" in outcome.checks[0]["text"] and not outcome.green
