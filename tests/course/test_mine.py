"""`--mine`: the chapter really runs on the learner's functions, and says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.desk import Desk
from tinygrad_llm.course.exercises.mine import COUNTS, VARIABLE, green_files
from tinygrad_llm.course.exercises.runner import child_environment

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import numpy as np
from tinygrad_llm import nn, ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.ops.softmax import softmax

x = Tensor([0.0, 1.0], requires_grad=True)
y = softmax(x)
y.backward(np.array([1.0, 0.0], np.float32))
layer = nn.Attention(4, 2, causal=True, rng=np.random.default_rng(0))
out = layer(Tensor(np.ones((1, 3, 4), np.float32)))
print([round(float(v), 4) for v in y.data], [round(float(v), 4) for v in x.grad], ops.softmax is softmax, out.requires_grad)
"""


def run_with(tmp_path, files, text=SCRIPT):
    script = tmp_path / "script.py"
    script.write_text(text)
    environment = child_environment(**{VARIABLE: json.dumps({target: str(file) for target, file in files.items()})})
    command = [sys.executable, "-m", "tinygrad_llm.course.exercises.mine", str(script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    *said, counts = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    return said, json.loads(counts.removeprefix(COUNTS))


@pytest.fixture
def target(course, softmax):
    return softmax.target, course.solution(softmax)


def test_the_learners_function_is_called_and_nothing_fused_goes_round_it(tmp_path, target):
    said, counts = run_with(tmp_path, dict([target]))
    assert said == ["[0.2689, 0.7311] [0.1966, -0.1966] True True"]
    assert counts == {"softmax": 2}  # once by the script, once inside attention


def test_what_is_wrong_in_the_learners_function_shows_in_the_chapter(tmp_path, target):
    name, file = target
    wrong = tmp_path / "wrong.py"
    wrong.write_text(file.read_text().replace("return y * (g", "return 3 * y * (g"))
    said, _ = run_with(tmp_path, {name: wrong})
    assert said == ["[0.2689, 0.7311] [0.5898, -0.5898] True True"]


def test_without_a_replaced_operation_the_fused_ones_stay(tmp_path):
    cell = tmp_path / "value.py"
    cell.write_text("class Value:\n    pass\n")
    _, counts = run_with(tmp_path, {"tinygrad_llm.autograd.scalar.Value": cell})
    assert counts == {"Value": 0}


def test_only_green_functions_are_used_and_each_is_named(course, softmax):
    desk = Desk(course)
    desk.start()
    assert green_files(course, "09") == ({}, ["09.1 softmax: reference (not green)"])
    desk.record(softmax, True)
    files, lines = green_files(course, "09")
    assert files == {softmax.target: course.own(softmax)} and lines == ["09.1 softmax: yours ✓"]
    assert green_files(course, "12")[0] == files and green_files(course, "08") == ({}, [])


def test_an_exercise_stands_for_a_function_or_says_why_not():
    for exercise in Course.load(ROOT).exercises:
        assert exercise.target or exercise.not_used or exercise.chapter == "00", exercise.id


def test_a_run_says_of_each_exercise_of_its_chapter_whether_it_is_used():
    real = Course.load(ROOT)
    for number in real.chapters():
        lines = green_files(real, number)[1]
        assert [line.split()[0] for line in lines] == [e.id for e in real.of_chapter(number)]
        assert all("not used. " in line for line, e in zip(lines, real.of_chapter(number)) if not e.target)


PARENT = """
import subprocess, sys
import numpy as np
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.ops.softmax import softmax

code = "import numpy as np; from tinygrad_llm.ops.softmax import softmax; print(softmax.array(np.zeros(2))[0])"
print(softmax.array(np.zeros(2))[0], flush=True)
subprocess.run([sys.executable, "-c", code], check=True)
"""


def test_a_process_that_the_chapter_starts_has_the_learners_functions_too(tmp_path, softmax):
    theirs = tmp_path / "softmax.py"
    theirs.write_text("def softmax(x, axis=-1):\n    return x + 7, lambda g, needs: g\n")
    said, _ = run_with(tmp_path, {softmax.target: theirs}, PARENT)
    assert said == ["[7. 7.]", "[7. 7.]"]


def test_a_learners_file_with_a_dataclass_can_take_the_place(tmp_path, softmax):
    theirs = tmp_path / "softmax.py"
    right = (
        'from dataclasses import dataclass\n\n\n@dataclass\nclass C:\n    k: "int" = 2\n    m: "C | None" = None\n\n\n'
    )
    theirs.write_text(right + "def softmax(x, axis=-1):\n    return x + 7, lambda g, needs: g\n")
    assert run_with(tmp_path, {softmax.target: theirs}, PARENT)[0] == ["[7. 7.]", "[7. 7.]"]
