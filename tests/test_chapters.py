"""Every chapter has the contract's form, its recorded claim is the one it makes, and it runs.

The form and the record are read, which takes no time. The runs are marked `chapters` (make test-chapters).
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.mine import COUNTS, VARIABLE
from tinygrad_llm.course.exercises.runner import child_environment
from tinygrad_llm.course.record import BUDGET, FIGURE, json_line

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9][0-9]_*.py"))
RECORDS = ROOT / "docs" / "records"
BULLETS = ("Builds on", "Reads", "Claim", "Run")
CELLS = ("# %%", "# %% [markdown]", "# %% folded")
EXERCISES = range(2, 5)
LINK = re.compile(r"\]\(([^)#\s]+)\)")
ENDLESS_S = 900  # for a run that hangs; how long one takes is never asserted


def opening(text: str) -> str:
    """The Markdown of the first cell."""
    cell = re.split(r"^# %%.*\n", text, flags=re.MULTILINE)[1]
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in cell.splitlines())


def claim_of(text: str) -> str | None:
    """The second argument of `Chapter(number, claim)`; None where it is not one plain string."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Chapter" and len(node.args) == 2:
            _, claim = node.args
            return claim.value if isinstance(claim, ast.Constant) and isinstance(claim.value, str) else None
    return None


def form_problems(text: str, path: Path, exercises: int) -> list[str]:
    """In what the chapter at `path` departs from the contract."""
    number, lines = path.name[:2], text.splitlines()
    marks = [line for line in lines if line.startswith(("# %%", "#%%"))]
    if lines[:1] != [CELLS[1]]:
        return ["the first line is not `# %% [markdown]`"]
    found = [f"`{mark}` is none of {', '.join(CELLS)}" for mark in marks if mark not in CELLS]
    head = opening(text)
    if not head.startswith(f"# {number} · "):
        found.append(f"the title does not begin with `# {number} · `")
    for bullet in BULLETS:
        if f"\n- **{bullet}**" not in head:
            found.append(f"no bullet **{bullet}**")
    reads = re.search(r"- \*\*Reads\*\*(.*?)(?=\n- \*\*|\Z)", head, re.DOTALL)
    if reads and not LINK.search(reads[1]):
        found.append("**Reads** links to nothing")
    prose = "\n".join(line for line in lines if line.startswith("#"))
    for link in LINK.findall(prose):
        if "://" not in link and not (path.parent / link).exists():
            found.append(f"the link {link} leads nowhere")
    if path.name not in head:
        found.append("**Run** does not name the script")
    if claim_of(text) is None:
        found.append("no `Chapter(number, claim)` with one plain string as its claim")
    if f'"{number}"' not in text:
        found.append(f"its number is not {number}")
    last = ast.parse(text).body[-1]
    if not (isinstance(last, ast.Expr) and ast.unparse(last).startswith("run.finish(")):
        found.append("the last statement is not run.finish(…)")
    if exercises not in EXERCISES:
        found.append(f"{exercises} exercises instead of {EXERCISES[0]} to {EXERCISES[-1]}")
    return found


def record_problems(record: str, text: str, path: Path) -> list[str]:
    """In what a recorded run's output is not the one of this script over three seeds, or more."""
    lines = record.splitlines()
    found = []
    command = re.fullmatch(rf"\$ python chapters/{re.escape(path.name)} --seeds (\d+)(?: --json)?", "".join(lines[:1]))
    seeds = int(command[1]) if command else 0
    if seeds < 3:
        found.append(f"the first line is not `$ python chapters/{path.name} --seeds 3 --json`, with 3 seeds or more")
    last = json_line(record)
    if last is None:
        return [*found, "the last line is not JSON"]
    wanted = {"chapter": path.name[:2], "claim": claim_of(text), "seeds": seeds, "fast": False, "holds": True}
    for key, value in wanted.items():
        if last.get(key) != value:
            found.append(f"{key} is {last.get(key)!r} instead of {value!r}")
    if not last.get("measured"):
        found.append("nothing was measured")
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_has_the_form_of_the_contract(path):
    count = len(Course.load(ROOT).of_chapter(path.name[:2]))
    assert form_problems(path.read_text(encoding="utf-8"), path, count) == []


def test_every_chapter_has_a_record_and_every_record_a_chapter():
    assert sorted(folder.name for folder in RECORDS.iterdir()) == [path.name[:2] for path in CHAPTERS]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.name[:2])
def test_a_recorded_claim_is_the_one_its_chapter_makes(path):
    record = RECORDS / path.name[:2] / "output.txt"
    assert record_problems(record.read_text(encoding="utf-8"), path.read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize("folder", sorted(RECORDS.iterdir()), ids=lambda p: p.name)
def test_a_record_has_the_figures_that_its_output_names_and_keeps_its_budget(folder):
    names = FIGURE.findall((folder / "output.txt").read_text(encoding="utf-8"))
    assert names and sorted({*names, "output.txt", "sources.txt"}) == sorted(path.name for path in folder.iterdir())
    for name in names:
        ET.parse(folder / name)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= BUDGET


@pytest.mark.chapters
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_runs_and_its_claim_holds(path, tmp_path):
    command = [sys.executable, str(path), "--fast", "--json", "--out", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env=child_environment(), capture_output=True, encoding="utf-8", timeout=ENDLESS_S
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    last = json_line(done.stdout)
    assert last is not None, done.stdout[-300:]
    assert last["chapter"] == path.name[:2] and last["fast"] is True
    assert last["holds"] is (None if last.get("not_tested") else True)
    assert last["claim"] == claim_of(path.read_text(encoding="utf-8")) and last["measured"]
    figures = sorted(tmp_path.glob("*.svg"))
    assert figures, "a chapter shows at least one figure"
    for figure in figures:
        ET.parse(figure)


@pytest.mark.chapters
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_holds_on_the_learners_functions_and_calls_each(path, tmp_path):
    course, number = Course.load(ROOT), path.name[:2]
    files = {e.target: str(course.solution(e)) for e in course.exercises if e.target and e.chapter <= number}
    command = [sys.executable, "-m", "tinygrad_llm.course.exercises.mine", str(path), "--fast", "--json"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT, env=child_environment(**{VARIABLE: json.dumps(files)}),
        capture_output=True, encoding="utf-8", timeout=ENDLESS_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    output, _, counts = done.stdout.rpartition(COUNTS)
    last, calls = json_line(output), json.loads(counts)
    assert last is not None and last["holds"] is (None if last.get("not_tested") else True)
    own = course.of_chapter(number)
    assert {e.id for e in own if e.target and not calls[e.name]} == {e.id for e in own if e.target and e.not_used}


# The checks above can fail: a chapter without a fault, and one fault at a time.

GOOD = """# %% [markdown]
# # 09 · Something
#
# Why.
#
# - **Builds on** 08.
# - **Reads** [here](here.txt).
# - **Claim**: more than none.
# - **Run**: `python chapters/09_something.py`.

# %%
from tinygrad_llm.course.chapter import Chapter

run = Chapter("09", "More " "than none.")

# %%
run.check("a", 1, equals=1)
run.finish()
"""
RECORD = '$ python chapters/09_something.py --seeds 3\nchapter 09\n{"chapter": "09", "claim": "More than none.", "measured": {"a": 1}, "holds": true, "seeds": 3, "fast": false}\n'


@pytest.fixture
def chapter(tmp_path):
    (tmp_path / "here.txt").touch()
    return tmp_path / "09_something.py"


def test_a_chapter_without_a_fault_has_no_problems(chapter):
    assert form_problems(GOOD, chapter, 2) == [] and record_problems(RECORD, GOOD, chapter) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("# %% [markdown]\n", "", "first line"),
        ("# # 09 · ", "# # 10 · ", "title"),
        ("# # 09 · ", "# # 09: ", "title"),
        ("**Builds on**", "Builds on", "Builds on"),
        ("**Reads**", "Reads", "Reads"),
        ("[here](here.txt)", "here", "links to nothing"),
        ("(here.txt)", "(there.txt)", "there.txt leads nowhere"),
        ("**Claim**", "Claim", "Claim"),
        ("**Run**", "Run", "Run"),
        ("chapters/09_something.py", "chapters/08_other.py", "name the script"),
        ("# %%\nrun", "# %% last\nrun", "none of"),
        ("# %%\nrun", "#%%\nrun", "none of"),
        ('"More " "than none."', 'f"More {1}"', "plain string"),
        ('"09", ', '"08", ', "number is not 09"),
        ("finish()\n", "finish()\nprint()\n", "last statement"),
        ("run.finish(", "print(", "last statement"),
    ],
)
def test_each_departure_from_the_form_is_found(chapter, old, new, words):
    assert old in GOOD
    problems = form_problems(GOOD.replace(old, new, 1), chapter, 2)
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_or_too_many_exercises_are_found(chapter, count):
    assert form_problems(GOOD, chapter, count) == [f"{count} exercises instead of 2 to 4"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("$ python", "python", "first line"),
        ("--seeds 3", "", "first line"),
        ('"holds": true', '"holds": false', "holds is False"),
        ('"seeds": 3', '"seeds": 1', "seeds is 1"),
        ('"fast": false', '"fast": true', "fast is True"),
        ("More than none.", "More than all.", "claim is"),
        ('"chapter": "09"', '"chapter": "08"', "chapter is"),
        ('{"a": 1}', "{}", "nothing was measured"),
        ("false}\n", "false}\nbye\n", "not JSON"),
        ("false}\n", "false}\n3\n", "not JSON"),
    ],
)
def test_each_fault_of_a_record_is_found(chapter, old, new, words):
    assert old in RECORD
    problems = record_problems(RECORD.replace(old, new, 1), GOOD, chapter)
    assert any(words in problem for problem in problems), problems
