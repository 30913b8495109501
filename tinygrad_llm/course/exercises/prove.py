"""Proves of each exercise that it is fair: it can be solved, wrong answers are found, and the words help.

Each time:

the stub is in step with the solution, and red with "not started"
the solution is green
the package's own function passes the same checks
no hint quotes a line of the solution

Where the exercise is proved whole, which proofs.py keeps account of:

every mutant of mutants/ID/ is red, says the words after `# expect:` in its first line, and is told exactly the
sentence after `# means:` in its second
every mistake of the operators in what the learner writes is red, but for those that change nothing
"""

from __future__ import annotations

import concurrent.futures
import os
import tempfile
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from tinygrad_llm.course.exercises.catalog import Course, Exercise
from tinygrad_llm.course.exercises.operators import mutants
from tinygrad_llm.course.exercises.reasons import sentence
from tinygrad_llm.course.exercises.report import report
from tinygrad_llm.course.exercises.runner import LIMIT_S, Outcome, forked, run
from tinygrad_llm.course.exercises.stubs import regions, stub_of, without_marks

EXPECT = "# expect:"
SHORT = 12
"""A line of code shorter than this (`return y`) may well stand in a hint."""
PATIENCE = 5
"""Times the learner's limit: the proof runs on all cores at once."""


@dataclass(frozen=True)
class Case:
    """A file and what should be found: "green", "red", "not started", or words of the report; and what it means."""

    exercise: Exercise
    name: str
    text: str
    expect: str
    means: str = ""


def sync(course: Course, check: bool = False) -> list[str]:
    """Writes the stubs that differ from what the solutions give; only names them when `check`."""
    stale = []
    for exercise in course.exercises:
        wanted = stub_of(_read(course.solution(exercise)), course.shown(course.solution(exercise)))
        path = course.stub(exercise)
        if not path.exists() or _read(path) != wanted:
            stale.append(course.shown(path))
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(wanted, encoding="utf-8", newline="\n")
    known = {course.stub(exercise) for exercise in course.exercises}
    stale += [course.shown(p) for p in (course.home / "stubs").rglob("*.py") if p not in known]
    return stale


def prove(
    course: Course, exercises: Sequence[Exercise], whole: Container[Exercise] | None = None
) -> dict[str, list[str]]:
    """Prints what is not as it should be, and a summary; returns the former, by exercise ("stubs" for all stubs).

    whole  the exercises whose wrong answers are run too; all of them where None.
    """
    problems: dict[str, list[str]] = {e.id: list(_written(course, e)) for e in exercises}
    problems["stubs"] = [f"{name}: not in step with its solution (tgl dev sync)" for name in sync(course, check=True)]
    cases = [case for e in exercises for case in right_cases(course, e)]
    wrong = [case for e in exercises if whole is None or e in whole for case in wrong_cases(course, e)]
    for case, outcome in _run([*cases, *wrong], course):
        if problem := judge(course, case, outcome):
            problems[case.exercise.id].append(f"{case.exercise.id} {case.name}: {problem}")
    problems = {id: found for id, found in problems.items() if found}
    for problem in (line for found in problems.values() for line in found):
        print(problem)
    made = sum(case.expect == "red" for case in wrong)
    proved, count = len({case.exercise for case in wrong}), sum(map(len, problems.values()))
    print(
        f"{len(exercises)} exercises, {proved} of them whole: {len(wrong) - made} mutants written by hand, "
        f"{made} made by operators, {count} problem{'s' * (count != 1)}"
    )
    return problems


def _run(cases: list[Case], course: Course) -> Iterator[tuple[Case, Outcome]]:
    """Each case and what was found, with a bar; as many at a time as there are cores."""
    import hypothesis.extra.numpy  # noqa: F401 - before there are threads, and shared by all forks
    import pytest  # noqa: F401

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool, tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.py" for number in range(len(cases))]
        outcomes = pool.map(lambda case, file: _outcome(course, case, file), cases, files)
        yield from tqdm(zip(cases, outcomes), total=len(cases), unit="case", mininterval=2, leave=False)


def right_cases(course: Course, exercise: Exercise) -> Iterator[Case]:
    """What is run each time: the stub, the solution, the package's own."""
    solution = _read(course.solution(exercise))
    yield Case(exercise, "stub", stub_of(solution), "not started" if regions(solution) else "green")
    yield Case(exercise, "solution", without_marks(solution), "green")
    if exercise.target:
        yield Case(exercise, "the package's own", _as_answer(exercise), "green")


def wrong_cases(course: Course, exercise: Exercise) -> Iterator[Case]:
    """Wrong answers: those written by hand, then those made by operators."""
    solution = _read(course.solution(exercise))
    for path in course.mutants(exercise):
        text = _read(path)
        first = text.split("\n", 1)[0]
        words = first.removeprefix(EXPECT).strip() if first.startswith(EXPECT) else ""
        yield Case(exercise, path.name, text, words, sentence(text))
    wanted = {line for region in regions(solution) for line in region}
    for mutant in mutants(exercise.file, solution):
        if mutant.line in wanted and not any(words in mutant.source for words, _ in exercise.equivalent):
            yield Case(exercise, f"line {mutant.line}, {mutant.what}: {mutant.source}", mutant.text, "red")


def judge(course: Course, case: Case, outcome: Outcome) -> str:
    """What is wrong with the outcome; "" where it is as expected."""
    text = " ".join(report(course, outcome).split())
    if case.expect == "":
        return f"a mutant begins with a line `{EXPECT} words of the report`"
    if case.expect == "green":
        return "" if outcome.green else f"is not green: {text}"
    if outcome.green:
        return "is green: no check finds it"
    if case.expect != "red" and case.expect not in text:
        return f"does not say {case.expect!r}: {text}"
    return "" if not case.means or case.means == outcome.reason else f"is not told {case.means!r}: {text}"


def _outcome(course: Course, case: Case, file: Path) -> Outcome:
    file.write_text(case.text, encoding="utf-8")
    start = forked if hasattr(os, "fork") else run
    return start(course, case.exercise, file, PATIENCE * LIMIT_S, case.expect != "red")


def _written(course: Course, exercise: Exercise) -> Iterator[str]:
    """Problems that need no run."""
    for kind, path in (("test", course.test(exercise)), ("solution", course.solution(exercise))):
        if not path.exists():
            yield f"{exercise.id}: no {kind} at {course.shown(path)}"
    if not course.mutants(exercise) and exercise.chapter != "00":  # that one is green as it comes
        yield f"{exercise.id}: no wrong answers in mutants/{exercise.id}/"
    lines = {line.strip() for line in _read(course.solution(exercise)).splitlines()}
    for number, hint in enumerate(exercise.hints, 1):
        quoted = [line for line in lines if len(line) >= SHORT and not line.startswith("#") and line in hint]
        if quoted:
            yield f"{exercise.id}: hint {number} quotes the solution: {quoted[0]}"


def _as_answer(exercise: Exercise) -> str:
    """A file in which the package's function is the answer: the bare function on arrays where it is an operation."""
    module, _, name = exercise.target.rpartition(".")
    return f"from {module} import {name} as ours\n\n{name} = getattr(ours, 'array', ours)\n"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
