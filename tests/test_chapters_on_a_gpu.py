"""Every chapter computes on the GPU where it is told to, and its claim holds there: on the stand-in (standin/startup).

There nothing moves but what the chapter moves, and the stand-in is as strict towards it as towards the package. The runs
are marked `chapters`: PYTHONPATH=tests/standin python -m pytest -p plugin -m chapters tests/test_chapters_on_a_gpu.py
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys

import pytest
from cuda_on_cpu.build import available
from test_chapters import CHAPTERS, ENDLESS_S, ROOT

from tinygrad_llm.course.exercises.runner import child_environment
from tinygrad_llm.course.record import json_line

STARTUP = ROOT / "tests" / "standin" / "startup"
NOTHING_TO_MOVE = {"01": "one number at a time", "05": "texts and tokens", "07": "counts"}
HAVE_TENSORS = ("nn", "ops", "optim", "train", "generate")
STAYS = {
    "02": "its planted mistakes are written with NumPy, like its own Array",
    "04": "measures the CPU; a column of its table is the GPU's",
}
WITHOUT_KERNELS = {"02": "all its numbers are float64"}
FEW = 30
"""Operations on the CPU with which a chapter may show something on a handful of numbers."""


def on_the_standin(script, folder):
    """What a chapter printed, and what was asked of the GPU meanwhile."""
    environment = child_environment(TINYGRAD_LLM_STANDIN_REPORT=str(folder / "report"), OPENBLAS_NUM_THREADS="1")
    environment["PYTHONPATH"] = os.pathsep.join([str(STARTUP), environment["PYTHONPATH"]])
    command = [sys.executable, str(script), "--fast", "--json", "--device", "cuda", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=ENDLESS_S)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    *_, own = (
        (folder / "report").read_text(encoding="utf-8").splitlines()
    )  # those that it started came to an end before
    return json_line(done.stdout), json.loads(own)


def problems(number, report):
    """In what a run was not on the GPU."""
    on_cpu = sum(report["cpu"].values()) - report["cpu"].get("dropout", 0)  # which each Dropout asks about its p
    on_gpu = sum(report["cuda"].values())
    found = []
    if not report["cuda"] or not report["products"]:
        found.append(f"{on_gpu} operations on the GPU, {report['products']} products there")
    if not report["launches"] and number not in WITHOUT_KERNELS:
        found.append("no kernel was started")
    if on_cpu > FEW and number not in STAYS:
        found.append(f"{on_cpu} operations on the CPU, {report['cpu']}")
    return found


@pytest.mark.chapters
@pytest.mark.skipif(not available(), reason="g++ is needed, which compiles the kernels")
@pytest.mark.parametrize("path", [p for p in CHAPTERS if p.name[:2] not in NOTHING_TO_MOVE], ids=lambda p: p.stem)
def test_a_chapters_claim_holds_on_the_gpu(path, tmp_path):
    number = path.name[:2]
    last, report = on_the_standin(path, tmp_path)
    assert last is not None and last["chapter"] == number
    assert last["holds"] is (None if last.get("not_tested") else True)
    assert problems(number, report) == []


def tensors_of(text):
    """What a chapter imports that has tensors."""
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tinygrad_llm":
            names += [".".join([*node.module.split(".")[1:], alias.name]) for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name.partition(".")[2] for alias in node.names if alias.name.startswith("tinygrad_llm.")]
    return [name for name in names if name.split(".")[0] in HAVE_TENSORS or name.endswith("Tensor")]


@pytest.mark.parametrize("path", [p for p in CHAPTERS if p.name[:2] in NOTHING_TO_MOVE], ids=lambda p: p.stem)
def test_a_chapter_with_nothing_to_move_has_no_tensors(path):
    assert tensors_of(path.read_text(encoding="utf-8")) == []


# The checks above can fail.


@pytest.mark.parametrize(
    "line",
    ["from tinygrad_llm import Tensor", "from tinygrad_llm import nn", "from tinygrad_llm.ops.softmax import softmax",
     "import tinygrad_llm.train.step", "from tinygrad_llm.autograd import Tensor"],
)  # fmt: skip
def test_a_chapter_with_tensors_is_found(line):
    assert len(tensors_of(f"import numpy\nfrom tinygrad_llm.models.ngram import NGram\n{line}\n")) == 1


GOOD = {"cpu": {"dropout": 900, "softmax": 3}, "cuda": {"linear": 900}, "products": 900, "launches": 40}


@pytest.mark.parametrize(
    ("number", "change", "words"),
    [
        ("09", {}, []),
        ("09", {"cuda": {}, "products": 0}, ["0 operations on the GPU"]),
        ("09", {"products": 0}, ["0 products"]),
        ("09", {"launches": 0}, ["no kernel"]),
        ("02", {"launches": 0}, []),
        ("09", {"cpu": {"linear": 31}}, ["31 operations on the CPU"]),
        ("04", {"cpu": {"linear": 31}}, []),
    ],
)
def test_what_is_not_on_the_gpu_is_found(number, change, words):
    found = problems(number, {**GOOD, **change})
    assert len(found) == len(words) and all(word in text for word, text in zip(words, found)), found
