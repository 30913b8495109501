"""What the editor offers exists: each command of .vscode is one that `tgl` knows, and takes the file it is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_llm.cli.main import COMMANDS
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.runner import child_environment
from tinygrad_llm.course.exercises.session import Session
from tinygrad_llm.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def settings(name):
    return json.loads((ROOT / ".vscode" / name).read_text(encoding="utf-8"))


def test_each_command_of_the_editor_is_one_of_ours():
    entries = settings("tasks.json")["tasks"] + settings("launch.json")["configurations"]
    of_ours = [entry["args"][1:] if entry["args"][0] == "-m" else entry["args"] for entry in entries]
    modules = [args[1] if args[0] == "tinygrad_llm" else args[0] for args in of_ours]
    assert len(entries) == 8
    assert all(word in COMMANDS or word in ("${file}", "--fast") for word in modules)
    for path in (*settings("settings.json")["files.readonlyInclude"], *settings("settings.json")["search.exclude"]):
        folder = ROOT / path.removesuffix("/**")
        assert folder.exists() or path.startswith("docs/_build")


def test_an_exercise_is_found_by_its_file(course, softmax, monkeypatch):
    own = course.own(softmax)
    assert course.get(str(own)) == softmax
    monkeypatch.chdir(course.root)
    assert course.get("work/e09/softmax.py") == softmax
    for other in (course.solution(softmax), course.root / "nothing.py"):
        with pytest.raises(ConfigError, match="a file of yours below work/"):
            course.get(str(other))


def test_breakpoint_stops_and_time_does_not_run_out(course, softmax):
    """A learner's file with a breakpoint and a second of thought beyond the limit, and the debugger told to go on."""
    Session(course).start()
    text = course.solution(softmax).read_text()
    slow = "    if not done:\n        done.append(1)\n        breakpoint()\n        time.sleep(3.5)\n"
    text = text.replace("    # >>> y,", slow + "    # >>> y,").replace(
        "import numpy", "import time\n\ndone = []\nimport numpy"
    )
    course.own(softmax).write_text(text)
    command = [sys.executable, "-m", "tinygrad_llm", "test", str(course.own(softmax)), "--debug"]
    done = subprocess.run(
        command,
        cwd=course.root,
        env=child_environment(),
        input="p x.shape\nc\n",
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert "(Pdb)" in done.stdout and "(2,)" in done.stdout, done.stdout + done.stderr
    assert "09.1 10/10 checks" in done.stdout and done.returncode == 0
    assert os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") is None  # that was another process


def test_the_real_course_can_be_asked_by_file():
    course = Course.load(ROOT)
    assert all(course.get(str(course.own(exercise))) == exercise for exercise in course.exercises)
