"""Every chapter computes on the GPU where it is told to, and its claim holds there: on the stand-in (standin/startup).

There nothing moves but what the chapter moves, and the stand-in is as strict towards it as towards the package. The runs
are marked `chapters`: PYTHONPATH=tests/standin python -m pytest -p plugin -m chapters tests/test_chapters_on_a_gpu.py
"""

from __future__ import annotations

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
STAYS = {
    "02": "its planted mistakes are written with NumPy, like its own forty lines",
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
    if number in NOTHING_TO_MOVE:
        return [f"it has {on_cpu + on_gpu} operations on tensors"] if on_cpu + on_gpu else []
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
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapters_claim_holds_on_the_gpu(path, tmp_path):
    number = path.name[:2]
    last, report = on_the_standin(path, tmp_path)
    assert last is not None and last["chapter"] == number
    assert last["holds"] is (None if last.get("not_tested") else True)
    assert problems(number, report) == []


# The checks above can fail.

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
        ("05", {}, ["903 operations on tensors"]),
        ("05", {"cpu": {}, "cuda": {}, "products": 0, "launches": 0}, []),
    ],
)
def test_what_is_not_on_the_gpu_is_found(number, change, words):
    found = problems(number, {**GOOD, **change})
    assert len(found) == len(words) and all(word in text for word, text in zip(words, found)), found
