"""What is proved is not proved again, and is proved anew as soon as anything changes that its proof rests on."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from tinygrad_llm.cli import dev
from tinygrad_llm.course.exercises import proofs
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.proofs import MACHINERY, fingerprint, load_proofs, sample, save_proofs, unproved
from tinygrad_llm.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def ids(exercises):
    return [e.id for e in exercises]


@pytest.fixture
def proved(course, tmp_path, monkeypatch):
    """The small course, proved, and a copy of the package for it to rest on."""
    shutil.copytree(proofs.PACKAGE, tmp_path / "package", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(proofs, "PACKAGE", tmp_path / "package")
    save_proofs(course, {e.id: fingerprint(course, e) for e in course.exercises})
    return course


def test_what_is_proved_is_not_proved_again(proved):
    assert unproved(proved) == []


def changed(course, what):
    """The file that it is about, of exercise 09.1."""
    e = course.get("09.1")
    return {
        "solution": course.solution(e), "test": course.test(e), "mutant": course.mutants(e)[0],
        "target": proofs.PACKAGE / "ops" / "softmax.py", "entry": course.home / "course.toml",
    }[what]  # fmt: skip


@pytest.mark.parametrize("what", ["solution", "test", "mutant", "target"])
def test_an_exercise_is_proved_anew_when_something_of_its_own_changes(proved, what):
    path = changed(proved, what)
    path.write_text(path.read_text() + "\n")
    assert ids(unproved(proved)) == ["09.1"]


def test_an_exercise_is_proved_anew_when_its_entry_changes(proved):
    path = changed(proved, "entry")
    before, _, after = path.read_text().rpartition("'because'")
    path.write_text(f"{before}'therefore'{after}")
    assert ids(unproved(Course.load(proved.root))) == ["09.1"]


@pytest.mark.parametrize("new", [True, False])
def test_an_exercise_is_proved_anew_when_a_wrong_answer_comes_or_goes(proved, new):
    path = changed(proved, "mutant")
    path.with_name("new.py").write_text(path.read_text()) if new else path.unlink()
    assert ids(unproved(proved)) == ["09.1"]


@pytest.mark.parametrize("name", MACHINERY)
def test_every_exercise_is_proved_anew_when_the_machinery_changes(proved, name):
    path = proofs.PACKAGE / "course" / "exercises" / f"{name}.py"
    path.write_text(path.read_text() + "\n")
    assert ids(unproved(proved)) == ids(proved.exercises)


def test_line_ends_change_nothing(proved):
    path = changed(proved, "solution")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert unproved(proved) == []


def test_the_machinery_is_what_a_proof_imports_of_its_folder():
    folder = ROOT / "tinygrad_llm" / "course" / "exercises"
    found, todo = set(), ["prove"]
    while todo:
        name = todo.pop()
        found.add(name)
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinygrad_llm.course.exercises"):
                below = node.module.removeprefix("tinygrad_llm.course.exercises").lstrip(".")
                todo += {below} - found if below else {a.name for a in node.names} - found
    assert found == set(MACHINERY)


def test_proofs_are_kept_in_the_courses_order_and_of_what_there_is(course):
    save_proofs(course, {"09.1": "b", "77.7": "c", "00.1": "a"})
    assert list(load_proofs(course).items()) == [("00.1", "a"), ("09.1", "b")]


def test_an_account_that_cannot_be_read_is_named(course):
    (course.home / "proved.toml").write_text("<<<<<<< ours\n")
    with pytest.raises(ConfigError, match=r"proved\.toml.*ALL=1"):
        load_proofs(course)


def test_a_sample_depends_on_its_seed_alone_and_reaches_every_exercise():
    exercises = Course.load(ROOT).exercises
    assert sample(exercises, 3, "a") == sample(exercises[::-1], 3, "a") != sample(exercises, 3, "b")
    reached = {e for seed in range(200) for e in sample(exercises, 5, str(seed))}
    assert reached == set(exercises)  # each is missed with probability (1 - 5/49)^200 < 1e-9


@pytest.fixture
def spied(course, monkeypatch):
    """`tgl dev prove` on the small course: what it asks to be proved whole; exercises in `red` have a problem."""
    asked, red = [], set()

    def prove(course, exercises, whole):
        asked.append((ids(exercises), ids(whole)))
        return {id: ["a problem"] for id in red}

    monkeypatch.setattr(dev, "prove", prove)
    monkeypatch.chdir(course.root)
    return asked, red


def test_the_command_proves_what_changed_and_keeps_account(course, spied):
    asked, _ = spied
    assert dev.main(["prove"]) == 0 and dev.main(["prove"]) == 0
    course.test(course.get("09.1")).write_text("# nothing\n")
    assert dev.main(["prove"]) == 0
    both = ["00.1", "09.1"]
    assert asked == [(both, both), (both, []), (both, ["09.1"])]
    assert unproved(course) == []


def test_the_command_proves_what_is_named_or_all_or_a_sample(course, spied):
    asked, _ = spied
    dev.main(["prove"])
    dev.main(["prove", "9.1"])
    dev.main(["prove", "--all"])
    dev.main(["prove", "--sample", "1", "--seed", "x"])
    (drawn,) = sample(course.exercises, 1, "x")
    both = ["00.1", "09.1"]
    assert asked[1:] == [(["09.1"], ["09.1"]), (both, both), (both, [drawn.id])]


def test_an_exercise_with_a_problem_is_not_proved(course, spied):
    _, red = spied
    dev.main(["prove"])
    red.add("09.1")
    assert dev.main(["prove", "--all"]) == 1
    assert ids(unproved(course)) == ["09.1"]


def test_proved_wrong_answers_are_not_run_but_what_must_be_green_is(course, capsys):
    from tinygrad_llm.course.exercises.prove import prove

    softmax = course.get("09.1")
    course.mutants(softmax)[0].write_text("no words\n")
    assert prove(course, [softmax], []) == {}
    assert "0 of them whole: 0 mutants written by hand, 0 made" in capsys.readouterr().out
    course.solution(softmax).write_text(course.solution(softmax).read_text().replace("y * (g", "y * (1 + g"))
    assert "solution: is not green" in prove(course, [softmax], [])["09.1"][0]
