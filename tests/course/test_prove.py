"""The proof of an exercise is itself tested: each fault that is planted in an exercise is found and named."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tinygrad_llm.course.exercises import prove as prove_module
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.desk import Desk
from tinygrad_llm.course.exercises.prove import prove, sync
from tinygrad_llm.course.exercises.runner import child_environment
from tinygrad_llm.course.exercises.stubs import regions, stub_of, without_marks
from tinygrad_llm.errors import ConfigError


def proof(course, capsys):
    capsys.readouterr()
    problems = prove(course, [course.get("09.1")])
    return problems, capsys.readouterr().out


def test_a_fair_exercise_is_proved(course, capsys):
    problems, said = proof(course, capsys)
    assert problems == {}, said
    by_hand = len(course.mutants(course.get("09.1")))
    assert f"1 exercises, 1 of them whole: {by_hand} mutants written by hand, 18 made by operators, 0 problems" in said


def planted(course, what):
    softmax = course.get("09.1")
    test, mutants = course.test(softmax), course.home / "mutants" / "09.1"
    if what == "a stub that was edited":
        course.stub(softmax).write_text("x = 1\n")
    elif what == "a check that finds nothing":
        test.write_text("def test_nothing(mine):\n    assert mine.softmax\n")
    elif what == "a solution that is wrong":
        course.solution(softmax).write_text(
            course.solution(softmax).read_text().replace("return y * (g", "return y * (1 + g")
        )
        sync(course)
    elif what == "a mutant that is right":
        (mutants / "right.py").write_text("# expect: something\n" + without_marks(course.solution(softmax).read_text()))
    elif what == "a mutant with other words":
        path = mutants / "overflow.py"
        path.write_text(path.read_text().replace("# expect: big", "# expect: exp(999)"))
    elif what == "a mutant with another's sentence":
        path, other = mutants / "overflow.py", mutants / "one_sum_for_all.py"
        other.write_text("# expect: you got\n# means: It is another.\n" + path.read_text().split("\n", 2)[2])
    elif what == "a mutant without words":
        (mutants / "silent.py").write_text("x = 1\n")
    elif what == "no wrong answers at all":
        for path in mutants.iterdir():
            path.unlink()
        toml = course.home / "course.toml"
        toml.write_text(toml.read_text().replace(repr(softmax.target), "''"))
    elif what == "a hint that gives the line":
        toml = course.home / "course.toml"
        toml.write_text(toml.read_text().replace("'so'", "'y = y / y.sum(axis, keepdims=True)'"))


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("a stub that was edited", "not in step with its solution"),
        ("a check that finds nothing", "is green: no check finds it"),
        ("a solution that is wrong", "09.1 solution: is not green"),
        ("a mutant that is right", "right.py: is green"),
        ("a mutant with other words", "does not say 'exp(999)"),
        ("a mutant with another's sentence", "is not told 'exp was taken"),
        ("a mutant without words", "begins with a line `# expect:"),
        ("a hint that gives the line", "hint 3 quotes the solution"),
        ("no wrong answers at all", "no wrong answers in mutants/09.1"),
    ],
)
def test_an_unfair_exercise_is_found(what, words, course, capsys, monkeypatch):
    monkeypatch.setattr(prove_module, "mutants", lambda *_: [])  # those written by hand are enough here
    planted(course, what)
    problems, said = proof(Course.load(course.root), capsys)
    assert set(problems) == {"stubs" if "in step" in words else "09.1"} and words in said, said


SOLUTION = '"""Text."""\n\nimport numpy as np\n\n\ndef f(x):\n    # >>> say "it"\n    y = x\n    # <<<\n    return y\n'


def test_a_stub_has_the_same_lines_but_for_what_is_to_be_written():
    stub = stub_of(SOLUTION)
    assert 'raise Todo("say \\"it\\"")' in stub and "y = x" not in stub and "return y" in stub
    assert stub.index("import numpy") < stub.index("import Todo")
    compile(stub, "stub", "exec")
    assert without_marks(SOLUTION) == SOLUTION.replace('    # >>> say "it"\n', "").replace("    # <<<\n", "")
    assert regions(SOLUTION) == [range(8, 9)]


@pytest.mark.parametrize("text", ["# >>> a\n", "# <<<\n", "# >>> a\n# >>> b\n# <<<\n"])
def test_regions_must_pair(text):
    with pytest.raises(ConfigError, match="<<<"):
        stub_of(text)


@pytest.mark.parametrize(
    "entry",
    ["id = '1.1'", "id = '01.1'\nchapter = '02'", "hints = []", "unknown = 3", "[[["],
)
def test_an_entry_that_is_not_right_is_refused_by_name(course, entry):
    toml = course.home / "course.toml"
    fields = {
        "id": "'09.9'",
        "title": "'t'",
        "chapter": "'09'",
        "file": "'e09/x.py'",
        "minutes": "1",
        "hints": "['a', 'b']",
    }
    fields |= dict(line.split(" = ") for line in entry.splitlines() if " = " in line)
    text = "[[exercise]]\n" + "\n".join(f"{k} = {v}" for k, v in fields.items())
    toml.write_text(text + ("\n" + entry if " = " not in entry else ""))
    with pytest.raises(ConfigError, match=r"course\.toml"):
        Course.load(course.root)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a pseudo-terminal")
def test_watching_checks_at_each_save_and_moves_on_only_by_a_key(course):
    import pty

    Desk(course).start()
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "tinygrad_llm"]  # `tgl` alone
    child = subprocess.Popen(
        command, cwd=course.root, env=child_environment(), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.set_blocking(terminal, False)
    seen = ""

    def until(words, seconds=300):  # for a child that hangs
        nonlocal seen
        end = time.monotonic() + seconds
        while words not in seen:
            assert time.monotonic() < end, f"no {words!r} in {seen!r}"
            try:
                seen += os.read(terminal, 65536).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.05)
        before, _, seen = seen.partition(words)
        return before

    until("2/2 checks")
    hello = course.own(course.get("00.1"))
    hello.write_text(hello.read_text().replace("2 * x", "3 * x"))
    until("double of three is six")
    hello.write_text(hello.read_text().replace("3 * x", "2 * x"))
    assert "09.1 softmax" not in until("2/2 checks")  # green, and still here
    os.write(terminal, b"n")
    until("not started")
    os.write(terminal, b"h")
    until("hint 1 of 3")
    os.write(terminal, b"s")
    until("press s again")
    os.write(terminal, b"s")
    until("-- ours")
    os.write(terminal, b"p")
    until("00.1 how this works")
    until("q quit")
    os.write(terminal, b"p")  # there is nothing before it
    until("2/2 checks. Compare: press s.")
    os.write(terminal, b"x")
    until("press x again")
    os.write(terminal, b"n")  # not x: nothing is reset, and n counts
    until("not done.")
    until("09.1 softmax")
    course.own(course.get("09.1")).unlink()
    until("was not there")
    until("not started")
    os.write(terminal, b"x")
    until("press x again")
    os.write(terminal, b"q")
    assert child.wait(300) == 0
