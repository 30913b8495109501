"""How a GPU is found, and what is said where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_llm.backend.cuda import LIBRARIES

TESTS = Path(__file__).parents[1]


def alone(script: str, *folders: str) -> str:
    """What a script prints in a process whose path begins with `folders`."""
    path = os.pathsep.join([*folders, str(TESTS / "standin"), str(TESTS), str(TESTS.parent)])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ASK = "from tinygrad_llm.backend import check_device\ntry:\n    check_device('cuda')\nexcept Exception as e:\n    print(e)"


def test_cupy_that_is_not_installed_is_named_with_the_extra(tmp_path):
    hidden = "import sys\nsys.modules['cupy'] = None\n"
    said = alone(hidden + ASK)
    assert said.startswith("device cuda: expected a GPU") and "not installed" in said
    assert "pip install -e " in said and "[cuda13]" in said and "cuda12" in said


def test_a_driver_that_does_not_work_is_named():
    said = alone("import cupy\ncupy.cuda.runtime.devices = None\n" + ASK)
    assert "no driver that works" in said and "cudaErrorInsufficientDriver" in said and "--device cpu" in said


def test_a_machine_without_a_gpu_is_named():
    said = alone("import cupy\ncupy.cuda.runtime.devices = 0\n" + ASK)
    assert "got no GPU" in said and "nvidia-smi" in said


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_that_are_missing_are_named_with_what_brings_them(library):
    said = alone(f"from cuda import pathfinder\npathfinder.MISSING.add('{library}')\n" + ASK)
    assert f"lib{library}.so" in said and "cupy-cuda13x[ctk]" in said


def test_a_cupy_that_cannot_be_imported_for_want_of_a_library_is_a_missing_toolkit(tmp_path):
    (tmp_path / "cupy.py").write_text("raise ImportError('libcublas.so.13: cannot open shared object file')")
    said = alone(ASK, str(tmp_path))
    assert "libcublas.so.13" in said and "[ctk]" in said


@pytest.mark.parametrize(("devices", "found"), [(1, "cuda"), (0, "cpu"), (None, "cpu")])
def test_auto_takes_a_gpu_where_one_can_be_used(devices, found):
    script = f"import cupy\ncupy.cuda.runtime.devices = {devices}\n"
    assert alone(script + "from tinygrad_llm.backend import check_device\nprint(check_device('auto'))") == found


def test_nothing_of_cuda_is_imported_before_it_is_asked_for():
    script = "import sys, tinygrad_llm.train.trainer, tinygrad_llm.cli.main\nprint('cupy' in sys.modules, 'ml_dtypes' in sys.modules)"
    assert alone(script) == "False False"


def test_the_doctor_shows_the_gpu():
    script = "from installed import install\ninstall()\nfrom tinygrad_llm.cli.main import main\nmain(['doctor'])"
    assert "stand-in, sm_90, 40.0 of 80.0 GiB free" in alone(script)


@pytest.mark.parametrize(("precision", "said"), [("bf16", "sm_75"), ("tf32", "sm_75"), ("fp32", "fine")])
def test_an_old_gpu_computes_in_float32_alone(precision, said):
    script = "from installed import install\ninstall()\nimport cupy\ncupy.cuda.Device.capability = '75'\n"
    script += "from tinygrad_llm.train.precision import check_precision\ntry:\n"
    script += f"    check_precision('{precision}', 'cuda')\n    print('fine')\nexcept Exception as e:\n    print(e)"
    assert said in alone(script)
