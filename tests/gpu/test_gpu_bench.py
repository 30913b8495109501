"""The benchmark itself: every part runs, and what one part loses is lost by it alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import gpu

pytestmark = pytest.mark.gpu
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _tiny(on_standin):
    if not on_standin:
        pytest.skip("make bench-gpu is the same at its real sizes")


def benchmark(*flags: str) -> tuple[dict, str]:
    """The JSON line, and all that was printed."""
    command = [sys.executable, "-m", "benchmarks.gpu", "--smoke", *flags]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stdout


def test_every_part_runs_and_is_saved(tmp_path):
    results, printed = benchmark("--save", str(tmp_path))
    assert set(results) == {*gpu.PARTS, "seconds"}
    assert not [name for name in gpu.PARTS if "error" in results[name]], printed
    rows = results["kernels"]["rows"] + results["attention"]["rows"]
    assert not [row for row in rows if "error" in row], printed
    for name in ("nanogpt", "gpt2"):
        alone = results[name]["alone"]
        assert len(alone) == 6 and not [row for row in alone.values() if "error" in row or "no_graph" in row], printed
        assert all(row["ms"] > 0 and row["floor_ms"] > 0 for row in alone.values())
    names = " ".join(row["name"] for row in results["step"]["rows"])
    for part in ("attention_backward_keys", "layer_norm_forward", "adamw", "product 16 x 16 x 48 bfloat16"):
        assert part in names, printed
    assert results["shakespeare"]["reached"]
    (path,) = tmp_path.iterdir()
    assert path.name.endswith("-stand-in.json") and json.loads(path.read_text()) == results


def test_a_part_that_fails_loses_nothing_of_the_others():
    results, printed = benchmark("--parts", "shakespeare,machine", "--text", "/there/is/no/such/text")
    assert "error" in results["shakespeare"] and "no/such/text" in printed
    assert results["machine"]["name"] == "stand-in"


def test_a_part_that_hangs_is_stopped_and_keeps_what_it_had(monkeypatch, capfd):
    script = "import time; print('a table'); print(chr(30) + '{\"rows\": 3}'); time.sleep(60)"
    monkeypatch.setattr(gpu, "command_of", lambda *given: [sys.executable, "-u", "-c", script])
    found = gpu.run_part("kernels", 1.5, [], {})
    assert found["rows"] == 3 and found["error"].startswith("stopped after") and found["seconds"] < 20
    printed = capfd.readouterr().out
    assert "a table" in printed and "kernels: stopped after" in printed and chr(30) not in printed


def test_a_part_that_breaks_down_says_how(monkeypatch):
    script = "print(chr(30) + '{\"rows\": 3}'); import os; os.abort()"
    monkeypatch.setattr(gpu, "command_of", lambda *given: [sys.executable, "-u", "-c", script])
    found = gpu.run_part("kernels", 20, [], {})
    assert found["rows"] == 3 and found["error"] == "exit code -6"


def test_what_there_is_no_time_for_is_left_out_with_the_reason():
    results, printed = benchmark("--budget", "1", "--parts", "machine,gpt2")
    assert "left" in results["machine"]["skipped"] and "left" in results["gpt2"]["skipped"] and "left" in printed


def test_without_a_gpu_the_reason_is_said():
    if gpu.has_driver():
        pytest.skip("there is one")
    command = [sys.executable, "-m", "benchmarks.gpu", "--parts", "machine"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert "expected a GPU that CuPy can use" in done.stdout or "lacks" in done.stdout
