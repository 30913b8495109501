"""What is counted as done, which exercise is the current one, what watching does at a save: no process is started."""

from __future__ import annotations

import contextlib
import os
from types import SimpleNamespace

import numpy as np
import pytest

from tinygrad_llm.course.chapter import Chapter
from tinygrad_llm.course.exercises import session as module
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.desk import Desk
from tinygrad_llm.course.exercises.mine import green_files
from tinygrad_llm.course.exercises.runner import Outcome
from tinygrad_llm.course.exercises.scripts import sections_of, title_of
from tinygrad_llm.course.exercises.session import Session
from tinygrad_llm.course.exercises.stubs import regions, stub_of, without_marks
from tinygrad_llm.course.table import table
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.visualize.figure import Figure


@pytest.fixture
def four(course, tmp_path):
    """A course of four exercises in two chapters, with stubs and checks that nobody runs."""
    softmax = course.get("09.1")
    text = "".join(
        f"[[exercise]]\nid = '{id}'\ntitle = 'title {id}'\nchapter = '{id[:2]}'\nfile = 'e{id[:2]}/f{id[-1]}.py'\n"
        f"target = 'package.f{id[-1]}_{id[:2]}'\nminutes = {minutes}\nhints = ['one', 'two', 'three']\n"
        for id, minutes in (("03.1", 5), ("03.2", 10), ("03.3", 15), ("04.1", 20))
    )
    (course.home / "course.toml").write_text(text)
    made = Course.load(tmp_path)
    for exercise in made.exercises:
        for path in (made.stub(exercise), made.test(exercise), made.solution(exercise)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {exercise.id}\n" + course.solution(softmax).read_text())
    return made


@pytest.fixture
def checked(monkeypatch):
    """Checks that find what `green` says, by id; which were run, and how."""
    made = SimpleNamespace(green=set(), asked=[])

    def run(course, exercise, debug=False):
        made.asked.append((exercise.id, debug))
        kind = "passed" if exercise.id in made.green else "ended"
        checks = [{"kind": kind, "name": "a check", "line": 1, "warned": []}]
        return Outcome(exercise, course.own(exercise), course.test(exercise), 1, checks, "", None, "", 0.1)

    monkeypatch.setattr(module, "run", run)
    return made


def test_all_exercises_are_run_and_counted_and_what_was_found_is_kept(four, checked, capsys):
    session = Session(four)
    session.start()
    for green in ({"03.1", "04.1"}, {"03.1", "03.2", "03.3", "04.1"}, set(), {"03.2"}):
        checked.green, checked.asked = green, []
        capsys.readouterr()
        assert session.test_all() is (len(green) == 4)
        shown = capsys.readouterr().out.splitlines()
        assert shown[-1] == f"{len(green)} of 4 green" and len(shown) == 5
        assert [line.split()[0] == "✓" for line in shown[:-1]] == [e.id in green for e in four.exercises]
        assert {e.id for e in four.exercises if Desk(four).done(e)} == green
        assert [id for id, _ in checked.asked] == [e.id for e in four.exercises]


def test_the_list_counts_what_is_green_now_chapter_by_chapter(four, checked, capsys):
    session = Session(four)
    session.start()
    checked.green = {"03.1", "03.2"}
    session.test_all()
    session.desk.peeked(four.get("03.3"))
    for all, chapters in ((False, 1), (True, 2)):
        capsys.readouterr()
        session.list(all)
        shown = capsys.readouterr().out
        assert "03  ######....  2/3\n" in shown and "04  ..........  0/1\n" in shown
        assert shown.count("title") == (3 if chapters == 1 else 4) and ("--all" in shown) is not all
        assert "  > " in shown.splitlines()[3] and "03.3  title 03.3  ~15 min  (solution seen)" in shown
    four.own(four.get("03.1")).write_text("# another answer")  # green once is not green now
    capsys.readouterr()
    session.list()
    assert "03  ###.......  1/3\n" in capsys.readouterr().out


def test_the_current_exercise_is_the_last_one_worked_on_else_the_first_that_is_open(four, checked):
    desk = Desk(four)
    desk.start()
    seen = [desk.current.id]
    for id in ("03.1", "03.3", "03.2", "04.1"):
        desk.record(four.get(id), True)
        seen.append(Desk(four).current.id)
    assert seen == ["03.1", "03.2", "03.2", "04.1", "04.1"]
    session = Session(four)
    session.desk.turn_to(four.get("03.1"))
    session.test(four.get("03.2"))
    assert Desk(four).current.id == "03.2" and session.pick(None).id == "03.2" and session.pick("4.1").id == "04.1"
    assert not Desk(four).done(four.get("03.2"))  # it was red just now
    assert checked.asked == [("03.2", False)]
    session.test(four.get("03.2"), debug=True)
    assert checked.asked[1:] == [("03.2", True)]


def test_hints_go_to_the_third_and_are_counted_for_each_exercise(four, capsys):
    session = Session(four)
    for id, number, words in (
        ("03.1", 1, "one"),
        ("03.1", 2, "two"),
        ("03.2", 1, "one"),
        ("03.1", 3, "three"),
        ("03.3", 1, "one"),
    ):
        session.hint(four.get(id))
        assert capsys.readouterr().out == f"hint {number} of 3 for {id} title {id}\n  {words}\n"


SCRIPT = """# %% [markdown]
# # 03 · LSTM and GPT-2
#
# ## Where it begins
#
# Text.

# %%
print("03.2")

# %% [markdown]
# ## How KV is kept
#
# That is exercise 03.1, and not 03.11. In 03.1 it is kept.
#
# **Exercises**: 03.1 one, 03.2 two.
"""


def test_after_the_last_hint_it_is_said_that_there_are_no_more_and_what_else_there_is(four, checked, capsys):
    session = Session(four)
    session.start()
    for number in range(3):
        session.hint(four.get("03.1"))
        assert ("no more" in capsys.readouterr().out) is False, number
    asked = "   (it is not green yet: you are asked first)"
    last = "hint 3 of 3, once more, for 03.1 title 03.1\n  three\n\nThere are no more hints for 03.1. What else there is:\n"
    session.hint(four.get("03.1"))
    assert (
        capsys.readouterr().out == f"{last}  compare  tgl solution 03.1{asked}\n"
    )  # of this chapter there is no script
    script = four.root / "chapters" / "03_lstm.py"
    script.write_text(SCRIPT)
    session.hint(four.get("03.1"), keys=True)
    assert (
        capsys.readouterr().out
        == f"{last}  read     chapters/03_lstm.py:12   How KV is kept\n  compare  press s{asked}\n"
    )
    checked.green = {"03.1"}
    session.test(four.get("03.1"))
    capsys.readouterr()
    session.hint(four.get("03.1"))
    assert capsys.readouterr().out.endswith("\n  compare  tgl solution 03.1\n")


def test_a_chapter_has_its_title_as_it_is_written(four, capsys):
    script = four.root / "chapters" / "03_lstm.py"
    script.write_text(SCRIPT)
    Session(four).list()
    assert "0/3  LSTM and GPT-2\n" in capsys.readouterr().out
    assert sections_of(script, "03.1") == [("How KV is kept", 12)]
    assert sections_of(script, "03.2") == []  # in code, and where all are named
    script.write_text(SCRIPT.replace("# # 03 · LSTM and GPT-2", "# mine"))
    assert title_of(script) == "lstm"


def test_update_replaces_and_names_what_changed_and_nothing_else(four):
    desk = Desk(four)
    desk.start()
    first, second, third, _ = four.exercises
    four.own(second).write_text("# mine")
    assert Desk(four).update() == ([], [])  # touched, but there is no new version
    for exercise in (first, second):
        four.stub(exercise).write_text("# new")
    four.own(third).unlink()
    assert Desk(four).update() == ([first, third], [second])
    assert four.own(first).read_text() == "# new" and four.own(second).read_text() == "# mine"
    assert Desk(four).update() == ([], [second])


def test_reset_asks_and_keeps_what_was_there(four, monkeypatch, capsys):
    session, first = Session(four), four.get("03.1")
    session.start()
    four.own(first).write_text("# mine")
    asked, answers = [], ["n", "", "Y "]
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or answers.pop(0))
    for _ in range(2):
        session.reset(first)
        assert four.own(first).read_text() == "# mine"
    capsys.readouterr()
    session.reset(first)
    kept = capsys.readouterr().out.split("Yours: ")[1].strip()
    assert (four.root / kept).read_text() == "# mine" and four.own(first).read_text() == four.stub(first).read_text()
    session.reset(first, ask=False)
    assert len(asked) == 3 and len(list((four.root / "work/.state/backup").rglob("*.py"))) == 2


def test_watching_looks_at_each_save_and_moves_and_does_what_a_key_asks(four, checked, monkeypatch, capsys):
    session, first = Session(four), four.get("03.1")
    session.start()
    checked.green = {"03.1"}

    def save(id):
        path = four.own(four.get(id))
        path.write_text(path.read_text() + "\n")
        os.utime(path, ns=(0, len(path.read_text())))
        return ""

    pressed = iter(["", "", save, "n", "", "p", "p", "r", "h", "l", "s", "n", "x", "y", "x", "x", "q"])

    def key():
        found = next(pressed)
        return found if isinstance(found, str) else found("03.1")

    @contextlib.contextmanager
    def keyboard():
        yield key

    monkeypatch.setattr(module, "keyboard", keyboard)
    session.watch(first)
    # seen at first, after the save, 03.2 by n, 03.1 by p and p, again by r; n, then x: not agreed, then agreed
    assert [id for id, _ in checked.asked] == ["03.1", "03.1", "03.2", "03.1", "03.1", "03.1", "03.2", "03.2"]
    shown = capsys.readouterr().out
    assert shown.count("hint 1 of 3 for 03.1") == 1 and shown.count("-- ours") == 1 and shown.count("not done.") == 1
    assert shown.count("03.2 is as at the start.") == 1 and Desk(four).current.id == "03.2"
    assert not Desk(four).state["peeked"]  # 03.1 was green


def test_while_watching_the_solution_is_shown_before_green_only_by_the_same_key_twice(
    four, checked, monkeypatch, capsys
):
    session, pressed = Session(four), iter([])
    session.start()
    monkeypatch.setattr(module, "keyboard", lambda: contextlib.nullcontext(lambda: next(pressed)))
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("it asked for a line"))
    for keys, shown, hints in (
        (["", "s", "", "h", "q"], 0, 1),
        (["s", "", "", "s", "q"], 1, 0),
        (["s", "s", "q"], 1, 0),
        (["s", "q"], 0, 0),
    ):
        pressed = iter(keys)
        capsys.readouterr()
        session.watch(four.get("03.2"))
        said = capsys.readouterr().out
        assert (said.count("-- ours"), said.count("hint 1 of"), said.count("press s again")) == (shown, hints, 1)
    assert Desk(four).state["peeked"] == {"03.2": True}


def test_before_green_a_look_at_the_solution_is_asked_for_and_remembered(four, checked, monkeypatch, capsys):
    session, first = Session(four), four.get("03.1")
    session.start()
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("it asked"))
    session.solution(first, ask=False)
    assert Desk(four).state["peeked"] == {"03.1": True} and "-- ours" in capsys.readouterr().out
    session.desk.record(four.get("03.2"), True)
    session.solution(four.get("03.2"))
    assert "03.2" not in Desk(four).state["peeked"]


def test_the_course_has_an_order_and_ends(four):
    ids = [e.id for e in four.exercises]
    assert [four.after(e) and four.after(e).id for e in four.exercises] == [*ids[1:], None]
    assert [four.before(e) and four.before(e).id for e in four.exercises] == [None, *ids[:-1]]
    assert [e.id for e in four.of_chapter("03")] == ids[:3] and four.get("3.2") == four.get("03.2")
    assert four.get(str(four.own(four.exercises[3]))) == four.exercises[3]
    with pytest.raises(ConfigError, match=r"Its exercises are 03\.1, 03\.2, 03\.3"):
        four.get("3")


@pytest.mark.parametrize("change", [
    ("minutes = 5\n", ""), ("minutes = 5\n", "minutes = 5\nmore = 1\n"), ("hints = ['one', 'two', 'three']\n", "hints = ['one']\n"),
    ("hints = ['one', 'two', 'three']\n", "hints = ['1', '2', '3', '4']\n"), ("chapter = '03'", "chapter = '04'"),
])  # fmt: skip
def test_an_entry_that_is_not_as_it_should_be_is_refused(change, four):
    path = four.home / "course.toml"
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(ConfigError, match=r"course\.toml"):
        Course.load(four.root)


def test_a_chapter_uses_green_functions_up_to_its_own(four):
    desk = Desk(four)
    desk.start()
    for id in ("03.1", "03.3", "04.1"):
        desk.record(four.get(id), True)
    for number, ids in (("02", []), ("03", ["03.1", "03.3"]), ("04", ["03.1", "03.3", "04.1"])):
        files, _ = green_files(four, number)
        assert files == {four.get(id).target: four.own(four.get(id)) for id in ids}
    assert green_files(four, "03")[1] == [
        "03.1 f1_03: yours ✓",
        "03.2 f2_03: reference (not green)",
        "03.3 f3_03: yours ✓",
    ]


SOLUTION = '"""Text."""\n\n\ndef f(x):\n    # >>> twice x\n    y = x\n    return 2 * y\n    # <<<\n\n\ndef g(x):\n    # >>>\n    return x\n    # <<<\n'


def test_regions_are_the_lines_between_the_marks_and_become_one_todo():
    assert regions(SOLUTION) == [range(6, 8), range(13, 14)]
    assert stub_of(SOLUTION).count("raise Todo(") == 2 and 'raise Todo("twice x")\n' in stub_of(SOLUTION)
    assert 'raise Todo("write this")' in stub_of(SOLUTION) and "return" not in stub_of(SOLUTION)
    assert without_marks(SOLUTION) == "".join(
        line + "\n" for line in SOLUTION.splitlines() if "# >>>" not in line and "# <<<" not in line
    )
    compile(stub_of(SOLUTION), "stub", "exec")


# ---- a chapter's frame


def test_a_chapters_flags_are_what_it_runs_by(tmp_path, capsys):
    run = Chapter("09", "A claim.", ["--fast", "--seeds", "3", "--out", str(tmp_path / "figures"), "--json"])
    assert (run.fast, run.seeds, run.out, run.json, run.device) == (True, [0, 1, 2], tmp_path / "figures", True, "cpu")
    assert run.pick("full", "fast") == "fast" and "chapter 09 --fast, seeds [0, 1, 2]" in capsys.readouterr().out
    run.show(Figure(100, 50, "a title"), "picture")
    assert (tmp_path / "figures" / "picture.svg").read_text().startswith("<svg")
    assert capsys.readouterr().out == f"figure: {tmp_path / 'figures' / 'picture.svg'}\n"
    run = Chapter("09", "A claim.", [])
    assert (run.fast, run.seeds, run.json, run.out.as_posix()) == (False, [0], False, "out/chapters/09") and run.pick(
        "full", "fast"
    ) == "full"


@pytest.mark.parametrize(
    "flags",
    [["--seeds", "0"], ["--seeds=-1"], ["--seeds", "many"], ["--seeds", "1.5"], ["--seed", "3"], ["--device", "tpu"]],
    ids=str,
)
def test_a_flag_of_a_chapter_that_is_none_ends_it_before_it_begins(flags, capsys):
    with pytest.raises(SystemExit) as found:
        Chapter("09", "A claim.", flags)
    said = capsys.readouterr()
    assert found.value.code == 2 and "error: " in said.err and "chapter 09" not in said.out


def test_with_fast_everything_is_judged_but_what_only_a_full_run_can(capsys):
    for flags, tested in (([], [True, True]), (["--fast"], [True, False])):
        run = Chapter("09", "A claim.", flags)
        run.check("small", 1, equals=1)
        run.check("large", 1, equals=1, full_only=True)
        assert [part.tested for part in run.result.parts] == tested


def test_progress_gives_every_item(capsys):
    run = Chapter("09", "A claim.", [])
    assert list(run.progress("abc", "letters")) == list("abc") and list(run.progress(iter([1, 2]), "numbers", 2)) == [
        1,
        2,
    ]


def test_a_table_shows_three_digits_of_every_float_and_narrows_the_widest_column():
    rows = [["a", 1.23456, np.float32(2.34567), 3], ["bb", 0.5, np.float64(1e-7), 44]]
    assert table(rows, ["n", "x", "y", "z"]).splitlines() == [
        "n      x      y   z", "--  ----  -----  --", "a   1.23   2.35   3", "bb   0.5  1e-07  44"
    ]  # fmt: skip
    wide = table([["x", "one two three four", "y"]], ["a", "b", "c"], 16).splitlines()
    assert wide == ["a  b           c", "-  ----------  -", "x  one two     y", "   three four"]
