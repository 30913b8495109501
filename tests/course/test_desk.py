"""The learner's files: never lost, and what is done can always be found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.desk import Desk
from tinygrad_llm.course.exercises.prove import sync
from tinygrad_llm.course.exercises.session import Session
from tinygrad_llm.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def test_start_copies_what_is_missing_and_replaces_nothing(course, softmax):
    assert [e.id for e in Desk(course).start()] == ["00.1", "09.1"]
    course.own(softmax).write_text("mine")
    assert Desk(course).start() == []
    assert course.own(softmax).read_text() == "mine"


def test_reset_keeps_every_earlier_version(course, softmax):
    desk = Desk(course)
    desk.start()
    kept = []
    for text in ("first", "second", "third"):
        course.own(softmax).write_text(text)
        kept.append(desk.reset(softmax))
    assert [path.read_text() for path in kept] == ["first", "second", "third"]
    assert course.own(softmax).read_bytes() == course.stub(softmax).read_bytes()


def test_done_holds_for_this_file_and_this_test_alone(course, softmax):
    desk = Desk(course)
    desk.start()
    desk.record(softmax, True)
    assert Desk(course).done(softmax)
    before = course.own(softmax).read_text()
    course.own(softmax).write_text(before + "\n# more")
    assert not Desk(course).done(softmax)
    course.own(softmax).write_text(before)
    assert Desk(course).done(softmax)
    course.test(softmax).write_text(course.test(softmax).read_text() + "\n# stricter")
    assert not Desk(course).done(softmax)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"done": 3}', '{"done": {}, "copied": {}, "hints": {}, "peeked": {}}']
)
def test_a_state_that_cannot_be_read_counts_as_empty_and_the_files_stay(course, softmax, text):
    desk = Desk(course)
    desk.start()
    course.own(softmax).write_text("mine")
    desk.path.write_text(text)
    again = Desk(course)
    again.start()
    assert course.own(softmax).read_text() == "mine" and again.current.id == "00.1"


def test_update_replaces_only_what_nobody_touched(course, softmax):
    desk, hello = Desk(course), course.get("00.1")
    desk.start()
    course.own(softmax).write_text("mine")
    for exercise in course.exercises:
        solution = course.solution(exercise)
        solution.write_text(solution.read_text() + "\n# a new version\n")
    sync(course)
    replaced, kept = Desk(course).update()
    assert replaced == [hello] and kept == [softmax]
    assert "new version" in course.own(hello).read_text() and course.own(softmax).read_text() == "mine"


def test_hints_come_by_degrees_and_the_last_one_stays(course, softmax):
    desk = Desk(course)
    assert [Desk(course).hint(softmax) for _ in range(4)] == [(1, "why?"), (2, "because"), (3, "so"), (3, "so")]
    assert desk.state["hints"] == {}  # what another desk knows is read when it is made


def test_before_green_the_solution_is_shown_only_after_a_yes(course, softmax, monkeypatch, capsys):
    session = Session(course)
    session.start()
    monkeypatch.setattr("builtins.input", lambda _: "n")
    session.solution(softmax)
    assert "-- ours" not in capsys.readouterr().out and not session.desk.state["peeked"]
    monkeypatch.setattr("builtins.input", lambda _: "y")
    session.solution(softmax)
    shown = capsys.readouterr().out
    assert "-- yours" in shown and "return y * (g - (g * y).sum" in shown and "# >>>" not in shown.split("-- ours")[1]
    assert session.desk.state["peeked"] == {"09.1": True}


def test_after_green_the_solution_is_free(course, softmax, capsys, monkeypatch):
    session = Session(course)
    session.start()
    course.own(softmax).write_text(course.solution(softmax).read_text())
    assert session.test(softmax).green
    monkeypatch.setattr("builtins.input", lambda _: pytest.fail("it asked"))
    session.solution(softmax)
    assert "-- ours" in capsys.readouterr().out and not session.desk.state["peeked"]


def test_the_list_shows_progress_a_chapter(course, softmax, capsys):
    session = Session(course)
    session.start()
    session.test(course.get("00.1"))
    capsys.readouterr()
    session.list()
    shown = capsys.readouterr().out
    assert "00  ##########  1/1\n  > ✓  00.1" in shown and "09  ..........  0/1\n" in shown
    assert "softmax" not in shown  # only the chapter that is open is spread out
    session.list(all=True)
    assert "09  ..........  0/1\n       09.1  softmax" in capsys.readouterr().out


def test_a_chapters_name_stands_beside_its_progress(capsys, tmp_path):
    course = Course(tmp_path, Course.load(ROOT).exercises)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "02_some_thing.py").touch()
    Session(course).list()
    assert "02  ..........  0/3  some thing\n" in capsys.readouterr().out


def test_what_update_did_is_said(course, softmax, capsys):
    session = Session(course)
    session.start()
    session.update()
    assert "Nothing has changed." in capsys.readouterr().out
    course.own(softmax).write_text("mine")
    for exercise in course.exercises:
        course.solution(exercise).write_text(course.solution(exercise).read_text() + "\n# new\n")
    sync(course)
    session.update()
    shown = capsys.readouterr().out
    assert "new in work/, since you had not touched them: 00.1" in shown and "so they stay: 09.1" in shown


def test_a_file_that_was_deleted_comes_back_and_it_is_said(course, softmax, capsys):
    session = Session(course)
    session.start()
    course.own(softmax).unlink()
    assert session.pick("09.1") == softmax and course.own(softmax).exists()
    assert "work/e09/softmax.py was not there" in capsys.readouterr().out


def test_one_can_go_on_and_back_and_not_beyond_the_ends(course, softmax):
    hello = course.get("00.1")
    assert course.before(softmax) == hello and course.after(hello) == softmax
    assert course.before(hello) is None and course.after(softmax) is None


def test_all_is_found_again_without_any_state(course, softmax, capsys):
    session = Session(course)
    session.start()
    course.own(softmax).write_text(course.solution(softmax).read_text())
    session.desk.path.unlink()
    again = Session(course)
    capsys.readouterr()
    assert again.test_all() and again.desk.done(softmax)
    assert capsys.readouterr().out.endswith("2 of 2 green\n")


def test_before_start_the_first_step_is_named(course):
    with pytest.raises(ConfigError, match="tgl start"):
        Session(course).pick(None)


def test_outside_a_checkout_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("tinygrad_llm.course.exercises.catalog.PACKAGE", tmp_path / "a" / "b")
    with pytest.raises(ConfigError, match="Clone the repository"):
        Course.find(tmp_path)
    (tmp_path / "chapters" / "exercises").mkdir(parents=True)


def test_the_course_is_found_from_below(course):
    below = course.root / "work" / "e09"
    below.mkdir(parents=True)
    assert Course.find(below).root == course.root
    assert Course.find(below).get("9.1").id == "09.1"
    with pytest.raises(ConfigError, match=r"Did you mean 09\.1"):
        course.get("09.7")


def test_a_chapters_number_in_place_of_an_exercise_names_its_exercises(course):
    for number in ("9", "09"):
        with pytest.raises(ConfigError, match=rf"got the chapter {number}\. Its exercises are 09\.1\."):
            course.get(number)


def test_reset_with_yes_asks_nothing_and_keeps_a_copy(course, softmax, monkeypatch, capsys):
    from tinygrad_llm.cli.main import main

    monkeypatch.setattr("tinygrad_llm.cli.exercises.Course.find", lambda: course)
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("it asked"))
    Desk(course).start()
    course.own(softmax).write_text("mine")
    assert main(["reset", "09.1", "--yes"]) == 0 and "09.1 is as at the start. Yours: " in capsys.readouterr().out
    assert [path.read_text() for path in (course.root / "work" / ".state" / "backup").rglob("*.py")] == ["mine"]
