"""A recorded run is the script's own run, cell by cell; a record that is stale or too large is found."""

from __future__ import annotations

import ast
import hashlib
import importlib
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from tinygrad_llm.course.exercises.runner import child_environment
from tinygrad_llm.course.record import BUDGET, Record, cells_of, code_of, main, record
from tinygrad_llm.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """# %% [markdown]
# # 77 · Made up
#
# Prose with `code`.

# %% folded
from __future__ import annotations

import dataclasses
import inspect
import json
import pickle
import sys
import time

import numpy as np

from tinygrad_llm.course.chapter import Chapter
from tinygrad_llm.visualize import line_chart

run = Chapter("77", "Numbers are drawn.")

# %% [markdown]
# ## Is it the same?

# %%


@dataclasses.dataclass
class Point:
    x: NotThere  # annotations are words everywhere


def f(x):
    return x + 1


print(inspect.getsource(f))
print(pickle.loads(pickle.dumps(Point(3))), __name__, sys.argv[1:3], f.__code__.co_firstlineno)

# %%
silent = np.random.default_rng(len(run.seeds)).random(3)
for i in run.progress(range(2), "turns"):
    pass
# %%
silent = silent * 2
# %%
print("before")
run.show(line_chart({"x": list(enumerate(silent))}, title="drawn"), "chart")

# %%
print("\\n", silent.tolist())

# %%
print("100 %% 12345678\\n%% 3")
print(json.dumps({"holds": True, "seconds": 1.5}))
"""
FLAGS = ["--seeds", "3"]


@pytest.fixture
def made_up(tmp_path):
    """A checkout with one chapter."""
    path = tmp_path / "chapters" / "77_made_up.py"
    (path.parent / "exercises").mkdir(parents=True)
    (path.parent / "exercises" / "course.toml").write_text("exercise = []\n")
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def folder_of(script):
    return script.parents[1] / "docs" / "records" / "77"


def recorded(script):
    """Recorded in a process of its own, as `make claims` does."""
    command = [sys.executable, "-m", "tinygrad_llm.course.record", "77", *FLAGS]
    done = subprocess.run(
        command, cwd=script.parents[1], env=child_environment(), capture_output=True, encoding="utf-8"
    )
    return done, Record.load(folder_of(script))


def test_cells_are_prose_code_and_folded_code():
    cells = cells_of(SCRIPT)
    assert [(c.markdown, c.folded) for c in cells[:4]] == [(True, False), (False, True), (True, False), (False, False)]
    assert cells[0].text == "# 77 · Made up\n\nProse with `code`."
    assert all(SCRIPT.splitlines()[c.line - 1 :][0] == "" or c.markdown or c.text for c in cells)
    assert len({c.key for c in cells}) == len(cells)


def test_a_recorded_run_prints_and_draws_what_the_script_does(made_up):
    root = made_up.parents[1]
    command = [sys.executable, str(made_up), *FLAGS, "--out", str(root / "out")]
    plain = subprocess.run(command, cwd=root, env=child_environment(), capture_output=True, encoding="utf-8")
    done, found = recorded(made_up)
    assert plain.returncode == done.returncode == 0, plain.stderr + done.stderr
    outputs = [text for cell in cells_of(SCRIPT) for text in found.outputs.get(cell.key, [])]
    expected = plain.stdout.replace(f"{root / 'out'}{os.sep}", "")
    assert [line for text in outputs for line in text.splitlines() if line] == [x for x in expected.splitlines() if x]
    assert "def f(x):\n    return x + 1" in outputs[1] and "Point(x=3) __main__" in outputs[1]
    assert "before\nfigure: chart.svg" in outputs
    assert (folder_of(made_up) / "chart.svg").read_bytes() == (root / "out" / "chart.svg").read_bytes()
    assert found.command == "python chapters/77_made_up.py --seeds 3"
    assert found.verdict == {"holds": True, "seconds": 1.5}


def test_sources_are_the_script_and_what_it_imported(made_up):
    _, found = recorded(made_up)
    names = set(found.sources)
    assert {"chapters/77_made_up.py", "tinygrad_llm/course/chapter.py", "tinygrad_llm/visualize/figure.py"} <= names
    assert not {n for n in names if "cli" in n or "record" in n or "models" in n}


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        (lambda text: text + "\n# another comment\n", False),
        (lambda text: text.replace("\n", "\r\n"), False),
        (lambda text: text.replace("Prose with", "Other prose, with"), False),
        (lambda text: text + "\nx = 1\n", True),
        (None, True),
    ],
)
def test_a_record_is_stale_once_a_source_changes_or_goes(made_up, change, stale):
    folder, root = folder_of(made_up), made_up.parents[1]
    folder.mkdir(parents=True)
    (folder / "output.txt").write_text("$ python chapters/77_made_up.py\n")
    digest = hashlib.sha256(code_of(SCRIPT).encode()).hexdigest()
    (folder / "sources.txt").write_text(f"{digest}  chapters/77_made_up.py\n")
    assert Record.load(folder).stale(root) == []
    made_up.write_bytes(change(SCRIPT).encode()) if change else made_up.unlink()
    assert Record.load(folder).stale(root) == ["chapters/77_made_up.py"] * stale


@pytest.mark.parametrize(("text", "stale"), [
    ('"""What is here."""\n\nfrom a import b, c\n\n__all__ = ["b", "c"]\n', False), ("", False), ("x = 1\n", True),
    ("from a import b\n\nb.rate = 2\n", True), (None, True),
])  # fmt: skip
@pytest.mark.parametrize("name", ["__init__.py", "other.py"])
def test_a_file_that_only_hands_names_on_makes_no_record_stale(made_up, name, text, stale):
    folder, root = folder_of(made_up), made_up.parents[1]
    folder.mkdir(parents=True)
    (folder / "output.txt").write_text("$ python chapters/77_made_up.py\n")
    (folder / "sources.txt").write_text(f"{'0' * 64}  {name}\n")
    if text is not None:
        (root / name).write_text(text)
    assert Record.load(folder).stale(root) == [name] * (stale or name == "other.py")


CODE = '''"""What is here."""

RATE = 2  # a note
"""How fast."""


def f(x):
    """Ünïcode in it, "quoted", and
    a second line."""
    text = """a \x20

# no comment
"""
    return f"{x} # no comment" + text  # note
'''


@pytest.mark.parametrize(("old", "new", "same"), [
    ("What is here.", "What was here.", True), ("  # a note", "", True), ("How fast.", "Faster", True), ("\n\n\n", "\n", True),
    ("    a second line.", "    a second\n\n    line.", True), ("# note", "# nothing", True),
    ("RATE = 2", "RATE = 3", False), ("a  \n", "a\n", False), ("a  \n\n", "a  \n", False), ("no comment\n", "comment\n", False),
    ("{x} # no comment", "{x} #", False), ("    return", "    x += 1\n    return", False), ("def f(x)", "def f(y)", False),
])  # fmt: skip
def test_code_is_what_a_run_depends_on(old, new, same):
    assert old in CODE and (code_of(CODE.replace(old, new)) == code_of(CODE)) == same


def test_the_code_of_every_file_of_the_package_is_the_same_program():
    for path in sorted((ROOT / "tinygrad_llm").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found = [_without_docstrings(ast.parse(each)) for each in (code_of(text), text)]
        assert found[0] == found[1], path


def _without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(getattr(node, "body", None), list):
            kept = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
            node.body = [s for s in kept if not isinstance(s, ast.Pass)]
    return ast.dump(tree)


def test_an_output_stays_with_its_code_when_the_script_has_changed_around_it(made_up):
    _, found = recorded(made_up)
    changed = "# %%\nprint(1)\n" + SCRIPT.replace("silent * 2", "silent * 3")
    shown = [bool(found.outputs.get(cell.key)) for cell in cells_of(changed) if not cell.markdown]
    assert shown == [False, True, True, False, False, True, True, True]


def test_each_output_stands_under_the_code_that_printed_it_and_prose_has_none(made_up):
    """In this process: a script that asks for nothing."""
    made_up.write_text(
        "# %% [markdown]\n# One.\n\n# %%\nprint('a')\n\n# %% [markdown]\n# Two.\n\n# %%\nx = 1\n\n# %% folded\nprint(x, 'c')\n\n# %%\nprint('a')\n"
    )
    record(made_up, FLAGS, folder_of(made_up))
    found = Record.load(folder_of(made_up))
    cells = cells_of(made_up.read_text())
    assert [found.outputs.get(cell.key) for cell in cells] == [None, ["a", "a"], None, None, ["1 c"], ["a", "a"]]
    assert found.command == "python chapters/77_made_up.py --seeds 3" and found.stale(made_up.parents[1]) == []


def test_the_budget_is_for_all_files_of_a_record_together(made_up, monkeypatch):
    module = importlib.import_module("tinygrad_llm.course.record")
    made_up.write_text("# %%\nprint('a' * 999)\n")
    record(made_up, FLAGS, folder_of(made_up))
    whole = sum(path.stat().st_size for path in folder_of(made_up).iterdir())
    for budget, fits in ((whole, True), (whole - 1, False)):
        monkeypatch.setattr(module, "BUDGET", budget)
        with nullcontext() if fits else pytest.raises(ConfigError, match="draw fewer points"):
            record(made_up, FLAGS, folder_of(made_up))


@pytest.mark.parametrize("fault", ["raise ValueError('a mistake')", "sys.exit(3)"])
def test_a_run_that_fails_leaves_the_older_record(made_up, fault):
    recorded(made_up)
    before = {path.name: path.read_bytes() for path in folder_of(made_up).iterdir()}
    made_up.write_text(SCRIPT + f"\n# %%\n{fault}\n", encoding="utf-8")
    done, _ = recorded(made_up)
    assert done.returncode in (1, 3)
    line = 1 + made_up.read_text(encoding="utf-8").splitlines().index(fault)
    assert "mistake" not in fault or f'77_made_up.py", line {line}' in done.stderr
    assert {path.name: path.read_bytes() for path in folder_of(made_up).iterdir()} == before


def test_a_new_record_takes_the_place_of_the_older_one_and_its_figures(made_up):
    folder = folder_of(made_up)
    folder.mkdir(parents=True)
    (folder / "of_old.svg").touch()
    recorded(made_up)
    assert sorted(path.name for path in folder.iterdir()) == ["chart.svg", "output.txt", "sources.txt"]
    assert list(folder.parent.iterdir()) == [folder]


def test_a_record_over_its_budget_is_refused_and_the_largest_file_named(tmp_path, capsys):
    script = tmp_path / "chapters" / "77_long.py"
    script.parent.mkdir()
    script.write_text(f"# %%\nprint('x' * {BUDGET})\n")
    with pytest.raises(ConfigError, match=r"77_long\.py: expected at most 200,000 bytes.*output\.txt"):
        record(script, [], tmp_path / "77")
    assert not (tmp_path / "77").exists()


def test_a_chapter_without_a_record_has_none(tmp_path):
    assert Record.load(tmp_path / "88") is None


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--help"], 0, []), (["-h"], 0, []), ([], 2, []), (["--seeds", "3", "09"], 2, ["before all flags", "--seeds"]), (["98"], 2, ["chapter", "98"]),
    ],
)  # fmt: skip
def test_help_and_what_is_not_understood_are_told_and_no_record_is_touched(arguments, status, said):
    records = ROOT / "docs" / "records"
    before = {path: path.stat().st_mtime_ns for path in records.rglob("*")}
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_llm.course.record", *arguments],
        env=child_environment(), capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    shown, silent = (done.stderr, done.stdout) if status else (done.stdout, done.stderr)
    assert done.returncode == status and silent == "" and "Traceback" not in shown
    assert "usage: python -m tinygrad_llm.course.record NN" in shown and all(word in shown for word in said)
    assert max(map(len, shown.splitlines())) <= 120
    assert {path: path.stat().st_mtime_ns for path in records.rglob("*")} == before


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), ([], 2), (["--fast", "09"], 2), (["98"], 2)])
def test_the_command_says_how_it_is_used(arguments, status, capsys):
    assert main(arguments) == status
    said = capsys.readouterr()
    assert "usage: " in (said.err if status else said.out) and "" in (said.err, said.out)


def test_the_flags_of_a_chapter_are_told_by_the_chapter():
    command = [sys.executable, "-m", "tinygrad_llm.course.record", "07", "--help"]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and "--seeds" in done.stdout and "Traceback" not in done.stderr
