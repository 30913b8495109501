"""The benchmark itself: every part runs, and what one part loses is lost by it alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import gpu, gpu_memory, gpu_report
from benchmarks.gpu_steps import SMALL
from tinygrad_llm.backend import cuda_ops
from tinygrad_llm.train import PRESETS, TrainConfig
from tinygrad_llm.train.data import load_corpus

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
    for row in results["memory"]["rows"]:
        assert all(row[f"{name}_gb"] == pytest.approx(row["step_gb"], rel=0.12) for name in ("eager", "graph")), printed
        assert row["told_gb"] >= row["step_gb"], printed
        assert row["evaluated_gb"] >= row["graph_gb"] and not [name for name in row if "error" in name], printed
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


@pytest.mark.parametrize("preset", gpu_memory.ALPHABETS)
def test_a_presets_text_is_made_here_and_has_as_many_letters_as_its_tokenizer_has_tokens(preset, tmp_path):
    config = gpu_memory.config(preset, tmp_path, smoke=False)
    corpus = load_corpus(config)
    assert corpus.tokenizer.vocab_size == gpu_memory.ALPHABETS[preset]
    assert corpus.batches(config)[0]["tokens"].shape == (config.batch_size, config.block_size)
    given = ("tokenizer", "device", "text")
    assert replace(config, **{name: TrainConfig().to_dict()[name] for name in given}) == TrainConfig(
        **{name: value for name, value in PRESETS[preset].items() if name not in given}
    )


def test_memory_that_is_not_enough_is_told_and_loses_nothing(capsys):
    def largest():
        raise MemoryError("out of it")

    assert gpu_memory.what_is_held("a preset", "largest", largest, 1e9) == {"largest_error": "MemoryError: out of it"}
    assert gpu_memory.what_is_held("a preset", "eager", lambda: 2_000_000_000, 1e9) == {"eager_gb": 2.0}
    printed = capsys.readouterr().out
    assert "a preset, largest: MemoryError: out of it" in printed and "200.0% of what was told" in printed


def test_without_a_gpu_the_reason_is_said():
    if gpu.has_driver():
        pytest.skip("there is one")
    command = [sys.executable, "-m", "benchmarks.gpu", "--parts", "machine"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert "expected a GPU that CuPy can use" in done.stdout or "lacks" in done.stdout


# ---- what a floor counts --------------------------------------------------------------------------------------------

ODD_ONES = ("finish_norm", "log_losses")
"""Write some of a few numbers and leave the others."""


def bytes_of(task) -> float:
    """What the report says that the kernels of a task move."""
    seen: list[gpu_report.Call] = []
    with gpu_report.watched(seen):
        task()
    assert seen
    return sum(call.moved for call in seen)


def test_what_is_changed_in_place_moves_twice(cupy):
    w, m, v, g = (cupy.zeros(4096, np.float32) for _ in range(4))
    settings, state = cupy.zeros(5, np.float32), cupy.ones(4, np.float32)
    few = settings.nbytes + state.nbytes
    assert bytes_of(lambda: cuda_ops.adamw(w, m, v, g, 9, settings, state, (0.9, 0.99, 1e-8))) == 7 * w.nbytes + few
    for velocity, passes in ((m, 5), (None, 3)):
        moved = bytes_of(lambda v=velocity: cuda_ops.sgd(w, v, g, 9, settings, state, (0.9, False, 0.0)))
        assert moved == passes * w.nbytes + few
    y, bias = cupy.zeros((64, 32), np.float32), cupy.zeros(32, np.float32)
    assert bytes_of(lambda: cuda_ops.add_bias(y, bias)) == 2 * y.nbytes + bias.nbytes
    assert bytes_of(lambda: cuda_ops.add(y, y, None)) == 3 * y.nbytes


def test_of_a_table_those_rows_move_that_are_asked_for(cupy):
    table, ids = cupy.zeros((500, 16), np.float32), cupy.asarray(np.array([7, 7, 7, 499, 0, 7]))
    row, g = 16 * 4, cupy.zeros((6, 16), np.float32)
    assert bytes_of(lambda: cuda_ops.embedding(table, ids)) == 3 * row + 6 * 8 + g.nbytes
    sort = 6 * 8 + 6 * 4
    assert bytes_of(lambda: cuda_ops.add_rows_by_id(g, ids, table)) == 2 * 3 * row + g.nbytes + sort + sort


def test_what_lies_between_rows_is_not_counted(cupy):
    logits, targets = cupy.zeros((6, 64), np.float32)[:, :50], cupy.asarray(np.arange(6))
    lse = cupy.zeros(6, np.float32)
    row, numbers = 50 * 4, 6 * (8 + 4)
    assert bytes_of(lambda: cuda_ops.cross_entropy(logits, targets, -100, 0.0)) == 6 * row + numbers + 6 * 4
    args = logits, targets, lse, lse, 1.0, -100, 0.0
    assert bytes_of(lambda: cuda_ops.cross_entropy_gradient(*args, out=logits)) == 2 * 6 * row + numbers + 6 * 4


def test_memory_and_arithmetic_go_on_at_once():
    call = gpu_report.Call("product", lambda: None, moved=6e9, operations=8e12)
    assert call.floor_ms(copy_gbs=1000.0, tflops=1000.0) == pytest.approx(8.0)
    assert call.floor_ms(copy_gbs=500.0, tflops=1000.0) == pytest.approx(12.0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_no_kernel_of_a_step_changes_an_array_that_counts_once(cupy, precision):
    calls, _ = gpu_report.calls_of(SMALL, precision)
    kernels = {call.name.split()[0]: call for call in calls if call.args}
    assert len(kernels) > 12
    for name, call in kernels.items():
        if name not in ODD_ONES:
            kind = name.removesuffix("_float32").removesuffix("_bfloat16")
            assert changed_in_place(cupy, call) == list(gpu_report.IN_PLACE.get(kind, ())), name


def changed_in_place(cupy, call: gpu_report.Call) -> list[int]:
    """Arguments that a kernel writes, and writes something else where something else was in them before."""
    found = []
    arrays = {i: a for i, a in enumerate(call.args) if gpu_report._is_array(a)}
    addresses = [a.data.ptr for a in arrays.values()]
    kept = {i: a.copy() for i, a in arrays.items()}
    for i, array in arrays.items():
        if array.dtype.kind in "iu" or addresses.count(array.data.ptr) > 1:  # ids; given once to read, once to write
            continue
        before = np.nan_to_num(kept[i].get().astype(np.float32), nan=0.25)
        results = []
        for given in (before, 0.5 * before + 0.25):
            array[...] = cupy.asarray(given).astype(array.dtype)
            call.task()
            results.append(array.get().astype(np.float32))
            for j, other in arrays.items():
                other[...] = kept[j]
        if not np.array_equal(results[0], before) and not np.array_equal(results[0], results[1]):
            found.append(i)
    return found
