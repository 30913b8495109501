"""An installed package is a course too: its material stays in it, and the learner's files are where the learner is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_llm.cli.main import main
from tinygrad_llm.course import record
from tinygrad_llm.course.exercises import catalog
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.desk import Desk
from tinygrad_llm.course.exercises.mine import green_files
from tinygrad_llm.course.exercises.runner import run
from tinygrad_llm.datasets import locate

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = 'from tinygrad_llm.course.chapter import Chapter\nprint(Chapter("01", "c", []).root)\n'


@pytest.fixture
def installed(course, tmp_path, monkeypatch):
    """The small course as a wheel has it: in a package apart, found from an empty folder, which we are in."""
    package = tmp_path / "site-packages" / "tinygrad_llm"
    for name in ("chapters", "tests"):
        if (tmp_path / name).exists():
            shutil.move(tmp_path / name, package / "_material" / name)
    (package / "_material" / "chapters" / "01_one.py").write_text(SCRIPT, encoding="utf-8")
    monkeypatch.setattr(catalog, "PACKAGE", package)
    monkeypatch.setattr(catalog, "MATERIAL", package / "_material")
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    return empty


def test_start_lays_the_course_out_in_an_empty_folder(installed, capsys):
    before = set(catalog.MATERIAL.rglob("*"))
    assert main(["start"]) == 0
    assert "1 chapters are in chapters/" in capsys.readouterr().out
    assert {path.relative_to(installed).as_posix() for path in installed.rglob("*.py")} == {
        "chapters/01_one.py", "work/e00/hello.py", "work/e09/softmax.py",
    }  # fmt: skip
    assert set(catalog.MATERIAL.rglob("*")) == before, "nothing is written into the package"


def test_the_checks_of_a_wheel_judge_the_learner_s_files_also_from_below(installed, monkeypatch, capsys):
    Desk(Course.find()).start()
    monkeypatch.chdir(installed / "work" / "e09")
    course = Course.find()
    assert course.root == installed
    exercise = course.get("09.1")
    shutil.copyfile(course.solution(exercise), course.own(exercise))
    assert main(["test", "09.1"]) == 0
    assert "09.1 10/10 checks" in capsys.readouterr().out
    assert green_files(course, "09")[0] == {exercise.target: installed / "work" / "e09" / "softmax.py"}


def test_a_chapter_runs_from_the_package_and_once_it_is_laid_out_the_copy_does(installed, capfd):
    for folder in (catalog.MATERIAL, installed):
        assert Course.find().chapter("1") == folder / "chapters" / "01_one.py"
        Desk(Course.find()).start()
    (installed / "chapters" / "01_one.py").write_text("print('the copy')\n", encoding="utf-8")
    assert main(["chapter", "1"]) == 0
    assert "the copy" in capfd.readouterr().out


def test_somebody_s_own_chapters_are_left_alone(installed):
    (installed / "chapters").mkdir()
    (installed / "chapters" / "01_my_novel.py").write_text("It was a dark night.", encoding="utf-8")
    assert list(Course.find().chapters().values()) == [catalog.MATERIAL / "chapters" / "01_one.py"]


def test_an_update_takes_over_chapters_that_nobody_changed(installed):
    own, ours = installed / "chapters" / "01_one.py", catalog.MATERIAL / "chapters" / "01_one.py"
    Desk(Course.find()).start()
    ours.write_text("print('new')\n", encoding="utf-8")
    Desk(Course.find()).update()
    assert own.read_text(encoding="utf-8") == "print('new')\n"
    own.write_text("print('changed')\n", encoding="utf-8")
    ours.write_text("print('newer')\n", encoding="utf-8")
    Desk(Course.find()).update()
    assert own.read_text(encoding="utf-8") == "print('changed')\n"


def test_what_is_for_those_who_write_a_course_asks_for_a_checkout(installed, capsys):
    assert main(["dev", "sync"]) == 2
    assert "expected a checkout of tinygrad_llm, got an installed package" in capsys.readouterr().err
    assert record.main(["01"]) == 2 and "a checkout of tinygrad_llm" in capsys.readouterr().err


def test_a_checkout_around_us_comes_before_a_wheel(installed):
    shutil.copytree(catalog.MATERIAL / "chapters", installed / "chapters")
    (installed / "below").mkdir()
    course = Course.find(installed / "below")
    assert course.root == course.material == installed


def test_settings_of_a_project_around_the_checks_have_no_say(course, softmax, tmp_path):
    """An environment often lies in a project's own folder."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nrequired_plugins = none_of_this_name\n", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "chapters"):
        (folder / "conftest.py").write_text("raise SystemExit('a stranger')\n", encoding="utf-8")
    assert run(course, softmax, course.solution(softmax)).green


def test_the_corpora_of_a_wheel_are_used_as_far_as_they_go(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locate, "CHECKOUT", tmp_path / "none")
    monkeypatch.setattr(locate, "IN_A_WHEEL", tmp_path / "data")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    for path in [*(ROOT / "data").glob("*/*.txt"), *(ROOT / "data").glob("*/*.json")]:
        copy = tmp_path / "data" / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    assert locate.corpus("kingdom") == tmp_path / "data" / "kingdom"
    assert locate.tales_files()[0] == tmp_path / "data" / "tales" / "train.txt"
    assert capsys.readouterr().err == "" and not (tmp_path / "cache").exists()
    (tmp_path / "data" / "kingdom" / "test.txt").unlink()
    assert locate.corpus("kingdom") == tmp_path / "cache" / "tinygrad_llm" / "kingdom"


# ---- what is in a wheel

ASK = """
import json
import sys
sys.path.insert(0, ".ci")
import wheel_backend
from setuptools import Distribution
distribution = Distribution({"script_name": "setup.py"})
distribution.parse_config_files()
command = distribution.get_command_obj("build_py")
command.ensure_finalized()
print(json.dumps(sorted(command.get_output_mapping())))
"""


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """The files of a wheel, by the path that they get there: of a copy of the checkout, for setuptools writes beside it."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, copy / name)
    for name in (".ci", "tinygrad_llm", "chapters", "data", "tests/goldens"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "data" / "tales" / "stories.jsonl").touch()
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=copy, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return {Path(file).as_posix().partition("build/lib/")[2] for file in json.loads(done.stdout.splitlines()[-1])}


def test_a_wheel_has_the_package_with_its_kernels_and_its_types(contents):
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tinygrad_llm").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "tinygrad_llm/py.typed" in ours and "tinygrad_llm/backend/kernels/softmax.cu" in ours
    assert {name for name in contents if not name.startswith("tinygrad_llm/_material/")} == ours


def test_a_wheel_has_the_course_and_nothing_large(contents):
    material = {name.partition("_material/")[2] for name in contents if "/_material/" in name}
    course = Course.load(ROOT)
    wanted = {
        path
        for e in course.exercises
        for path in (course.stub(e), course.solution(e), course.test(e), *course.mutants(e))
    }
    wanted |= {
        *course.chapters().values(),
        ROOT / "data" / "SOURCES.md",
        ROOT / "chapters" / "exercises" / "course.toml",
    }
    wanted |= {
        ROOT / "data" / corpus / file
        for corpus, made in locate.CORPORA.items()
        for file in made.sums
        if file != "stories.jsonl"
    }
    missing = {path.relative_to(ROOT).as_posix() for path in wanted} - material
    assert not missing
    assert sum((ROOT / name).stat().st_size for name in material) < 6_000_000  # thirty chapters have four of them


def test_whatever_a_chapter_or_a_check_reads_of_the_checkout_is_in_a_wheel(contents):
    """`run.root / "tests" / "goldens" / …`; where the file is a function's argument, all that the chapter calls it with."""
    asked = set()
    for path in [*(ROOT / "chapters").glob("*.py"), *(ROOT / "chapters" / "exercises" / "tests").glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        for chain in re.findall(r'(?:run\.root|\.parents\[3\])((?: / f?"[\w.{}]+")+)', text):
            name = "/".join(re.findall(r'"([\w.{}]+)"', chain))
            named = re.findall(r'= recorded\("(\w+)"\)', text) if "{name}" in name else [""]
            assert named, f"{path.name}: which files are {name}?"
            asked |= {name.replace("{name}", each) for each in named}
    goldens = {f"tests/goldens/{name}.json" for name in ("expressions", "programs", "tales_merges")}
    assert goldens | {"tinygrad_llm/autograd/scalar.py"} <= asked
    assert {f"tinygrad_llm/_material/{name}" for name in asked} <= contents
