"""What a run counts and what a learner then reads, from made-up findings: no process is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinygrad_llm.course.exercises import runner
from tinygrad_llm.course.exercises.report import report
from tinygrad_llm.course.exercises.runner import Outcome, watched
from tinygrad_llm.errors import ConfigError

PASSED, RED = (
    {"kind": "passed"},
    {"kind": "expectation", "called": "f(1)", "got": "2", "expected": "3", "differs": "By one."},
)


def named(*kinds):
    return [{"name": f"check {i}", "line": 10 * i, "printed": "", **kind} for i, kind in enumerate(kinds, 1)]


def outcome(course, checks, count=None, stopped=None, reason="", output="", id="09.1"):
    exercise = course.get(id)
    count = len(checks) if count is None else count
    return Outcome(exercise, course.own(exercise), course.test(exercise), count, checks, reason, stopped, output, 1.0)


GREEN = [
    ((PASSED, PASSED), 2, None, True), ((PASSED,), 1, None, True), ((PASSED,), 2, None, False), ((PASSED, PASSED), 1, None, False), ((), 0, None, False),
    ((PASSED, RED), 2, None, False), ((RED,), 1, None, False), ((PASSED, PASSED), 2, {}, False), ((PASSED, PASSED), 0, None, False), ((PASSED, RED), 1, None, False),
]  # fmt: skip


@pytest.mark.parametrize(("kinds", "count", "stopped", "green"), GREEN, ids=str)
def test_green_is_as_many_passed_as_there_are_and_at_least_one(kinds, count, stopped, green, course):
    found = outcome(course, named(*kinds), count, stopped)
    assert found.green is green
    assert found.failed == [check for check in found.checks if check["kind"] != "passed"]


def lines(course, *arguments, **options):
    return report(course, outcome(course, *arguments, **options)).splitlines()


def test_the_first_red_check_is_shown_whole_and_the_others_are_counted(course):
    todo = {"kind": "todo", "at": 5, "text": "the rest"}
    checks = named(PASSED, RED, todo, RED, PASSED, RED, todo, RED, RED)
    assert lines(course, checks, 12, reason="Off by one.") == [
        "✗ 09.1 check 2",
        "  you called  f(1)",
        "  you got     2",
        "  expected    3",
        "  differs     By one.",
        "  meaning     Off by one.",
        "  also red    check 4; check 6; check 8, and 1 more",
        "  not started 2 checks",
        "  green       2 of 12 checks",
        "  test        chapters/exercises/tests/test_09_1.py:20",
        "  stuck?      tgl hint 09.1    full traceback: tgl test 09.1 --full",
    ]


def test_what_is_not_there_is_not_said(course):
    shown = lines(course, named(RED, RED, RED, RED))
    assert "  also red    check 2; check 3; check 4" in shown
    assert not any(line.split()[0] in ("green", "meaning", "not") for line in shown if line)
    shown = lines(course, named(RED, {"kind": "todo", "at": 3, "text": ""}))
    assert "  not started 1 check" in shown and not any("also red" in line for line in shown)


def test_a_check_that_is_not_started_comes_with_its_place_and_says_nothing_of_others(course):
    shown = lines(
        course,
        named({"kind": "todo", "at": 5, "text": "the shares"}, RED, PASSED, {"kind": "todo", "at": 9, "text": ""}),
    )
    assert shown[:3] == [
        "✗ 09.1 check 1",
        "  not started: work/e09/softmax.py:5 still says `raise Todo`. Replace that line.",
        "  to write    the shares",
    ]
    assert "  green       1 of 4 checks" in shown
    assert not any("also red" in line or "  not started " in line for line in shown)


KINDS = {
    "raised": ({"called": "f(1)", "error": "KeyError: 2", "at": 7, "function": "f", "source": "x[2]"},
               ["you called  f(1)", "it raised   KeyError: 2", "at          work/e09/softmax.py:7 in f:  x[2]"]),
    "missing": ({"wanted": "softmax", "near": "sofmax", "at": 4}, ["work/e09/softmax.py defines no softmax. Did you mean sofmax (line 4)?"]),
    "syntax": ({"at": 3, "text": "expected ':'", "source": "  def f()"}, ["work/e09/softmax.py:3 is not Python yet: expected ':'", "the line    def f()"]),
    "ended": ({}, ["the process ended while this check ran"]),
    "replaced": ({"what": "numpy.exp"}, ["work/e09/softmax.py replaced numpy.exp, which the checks use."]),
    "broken": ({"text": "no module"}, ["this is not your mistake:", "    no module"]),
    "breakpoint": ({"at": 8}, ["work/e09/softmax.py:8 waits at a breakpoint()", "--debug"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_finding_has_its_words(kind, course):
    event, words = KINDS[kind]
    shown = report(course, outcome(course, named({"kind": kind, **event})))
    assert all(w in shown or w in " ".join(shown.split()) for w in words), shown


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "0"), (3, "0 | 1 | 2"), (4, "0 | 1 | 2   (… 4 lines in all)"), (9, "0 | 1 | 2   (… 9 lines in all)")],
)
def test_of_what_was_printed_three_lines_are_shown_and_all_are_counted(count, said, course):
    printed = {"printed": "\n".join(map(str, range(count)))}
    assert f"  you printed {said}" in lines(course, named(PASSED | printed)) and f"  you printed {said}" in lines(
        course, named(RED | printed)
    )
    assert not any(
        "you printed" in line for line in lines(course, named(RED, RED | printed))
    )  # of the one that is shown


def test_green_says_how_many_and_what_comes_next(course):
    first = " ".join(report(course, outcome(course, named(PASSED, PASSED), id="00.1")).split())
    assert first == "✓ 00.1 2/2 checks. Compare: tgl solution 00.1. Next: tgl test 09.1, or keep experimenting."
    keys = " ".join(report(course, outcome(course, named(PASSED), id="00.1"), keys=True).split())
    assert keys == "✓ 00.1 1/1 checks. Compare: press s. Press n for 09.1, or keep experimenting."
    last = " ".join(report(course, outcome(course, named(PASSED))).split())
    assert last == "✓ 09.1 1/1 checks. Compare: tgl solution 09.1. That was the last one."


def test_what_was_stopped_is_told_with_its_place_and_what_ended_at_once_with_its_output(course):
    stopped = " ".join(report(course, outcome(course, named(PASSED), 2, {"at": 6, "function": "f"})).split())
    assert stopped.startswith("✗ 09.1 stopped after 3 s: work/e09/softmax.py:6 in f() is still running.")
    assert "Is there a loop that never ends?" in report(course, outcome(course, [], 2, {}))
    nothing = report(course, outcome(course, [], 0, output="Killed\n"))
    assert nothing.startswith("Killed\n✗ 09.1 the process ended before any check did")
    assert "it printed nothing" in report(course, outcome(course, [], 0))
    full = report(course, outcome(course, named(PASSED), output="all of pytest\n"), full=True)
    assert full.startswith("all of pytest\n\n✓ 09.1")


# ---- from a child's events to an outcome


def found(course, events, stacks="", torn="", **options):
    """What is read of a process that wrote these."""
    seen = []

    def start(arguments, root):
        seen.append((arguments, root))
        Path(arguments[2]).write_text("".join(json.dumps(event) + "\n" for event in events) + torn)
        Path(arguments[3]).write_text(stacks)
        return "its output"

    exercise = course.get("09.1")
    return watched(course, exercise, course.own(exercise), 3.0, start, **options), seen[0]


BEGUN = [{"kind": "begun", "name": f"check {i}", "line": i} for i in range(4)]
ENDED = [{"kind": "passed", "name": f"check {i}", "line": i} for i in range(4)]
COUNT, DONE = {"kind": "count", "count": 3}, {"kind": "done"}


def test_a_run_that_came_to_its_end_is_its_checks_and_the_reason(course):
    events = [
        COUNT,
        BEGUN[0],
        ENDED[0],
        BEGUN[1],
        {**ENDED[1], **RED},
        BEGUN[2],
        ENDED[2],
        DONE,
        {"kind": "reason", "text": "Why."},
    ]
    result, (arguments, root) = found(course, events)
    assert (result.count, [c["kind"] for c in result.checks], result.reason) == (
        3,
        ["passed", "expectation", "passed"],
        "Why.",
    )
    assert result.stopped is None and result.output == "its output" and not result.green and root == course.root
    assert (
        arguments[:2] == [str(result.file), str(result.test)]
        and arguments[4] == "3.0"
        and arguments[5].endswith("mutants/09.1")
    )
    assert found(course, events, explain=False)[1][0][5] == ""
    assert found(course, [COUNT, *[e for i in range(3) for e in (BEGUN[i], ENDED[i])], DONE])[0].green


def test_a_process_that_ended_in_a_check_has_that_check_red(course):
    result, _ = found(course, [COUNT, BEGUN[0], ENDED[0], BEGUN[1]])
    assert [(c["kind"], c["name"]) for c in result.checks] == [
        ("passed", "check 0"),
        ("ended", "check 1"),
    ] and not result.green
    torn, _ = found(course, [COUNT, BEGUN[0], ENDED[0]], torn='{"kind": "pass')
    assert [c["kind"] for c in torn.checks] == ["passed"] and not torn.green
    nothing, _ = found(course, [])
    assert (nothing.count, nothing.checks, nothing.green) == (0, [], False)


def test_a_stopped_run_is_where_the_learners_code_was_innermost(course):
    own = course.own(course.get("09.1"))
    stack = "Timeout\n" + "".join(f'  File "{file}", line {line} in {name}\n' for file, line, name in (
        ("/usr/lib/numpy.py", 3, "exp"), (own, 12, "inner"), (own, 40, "outer"), ("/pytest.py", 9, "main")))  # fmt: skip
    result, _ = found(course, [COUNT, BEGUN[0]], stack)
    assert result.stopped == {"at": 12, "function": "inner"} and result.checks == [] and not result.green
    assert found(course, [COUNT, BEGUN[0]], "Timeout\n")[0].stopped == {}
    assert found(course, [COUNT, BEGUN[0]], "nothing of that kind")[0].stopped is None
    assert found(course, [COUNT, DONE], stack)[0].stopped is None


def test_a_run_has_the_limit_that_is_asked_for_and_debugging_has_none(course, monkeypatch):
    asked, softmax = [], course.get("09.1")
    monkeypatch.setattr(runner, "watched", lambda *arguments: asked.append(arguments))
    runner.run(course, softmax)
    runner.run(course, softmax, course.stub(softmax), limit=7.0, explain=False)
    runner.run(course, softmax, debug=True)
    own = course.own(softmax)
    assert [(a[2], a[3], a[5]) for a in asked] == [
        (own, runner.LIMIT_S, True),
        (course.stub(softmax), 7.0, False),
        (own, 0, True),
    ]
    assert asked[0][4] is asked[1][4] is not asked[2][4]
    monkeypatch.setattr(runner.importlib.util, "find_spec", lambda name: None if name == "hypothesis" else name)
    with pytest.raises(ConfigError, match="hypothesis, got none"):
        runner.run(course, softmax)
