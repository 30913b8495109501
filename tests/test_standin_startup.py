"""The stand-in as chapters start with it: after an operation's first round NumPy computes it, with the same results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_llm.course.exercises.runner import child_environment

ROOT = Path(__file__).resolve().parents[1]
STARTUP = ROOT / "tests" / "standin" / "startup"
TRAINING = """
import json, sys
import numpy as np
import sitecustomize
from tinygrad_llm import Tensor, nn, op, ops
from tinygrad_llm.optim import SGD

@op
def cube(x):
    seen.append(type(x).__module__)
    return x * x * x, lambda g, needs: 3 * g * x * x

def trained(device, rounds):
    rng = np.random.default_rng(0)
    table = Tensor(rng.standard_normal((5, 4)), requires_grad=True)
    layer = Tensor(rng.standard_normal((3, 4)), requires_grad=True)
    table, layer = (Tensor(p.to(device).data, requires_grad=True) for p in (table, layer))
    optimizer = SGD([table, layer], lr=0.1)
    sink = optimizer.flat.new_sink()
    losses = []
    for step in range(rounds):
        sink.clear()
        x = ops.embedding(table, np.array([[0, 1, 1], [4, 2, step % 5]]))
        y = cube(ops.softmax(ops.linear(x, layer))).transpose(0, 2, 1).reshape(6, 3)[1:]
        again = cube(ops.softmax(ops.linear(x * x, layer)))  # the same shapes, and one more gradient for the layer
        loss = (y * y).sum() + again.sum() + ops.layer_norm(y.T, Tensor(np.ones(5)).to(device), Tensor(np.zeros(5)).to(device)).mean()
        loss.backward(into=sink)
        sink.finish()
        losses.append(loss.item())
        optimizer.step(sink.flat)
    return losses, table.numpy().tolist()

seen = []
cpu = trained("cpu", 5)
seen.clear()
there = trained("cuda", 5)
print(json.dumps({"cpu": cpu, "there": there, "seen": seen, "ran": sitecustomize.ran["cuda", "softmax"]}))
"""


@pytest.fixture(scope="module")
def ran():
    pytest.importorskip("ml_dtypes", reason="the stand-in needs the extra standin")
    environment = child_environment(OPENBLAS_NUM_THREADS="1")
    environment["PYTHONPATH"] = os.pathsep.join([str(STARTUP), environment["PYTHONPATH"]])
    command = [sys.executable, "-c", TRAINING]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_an_operation_runs_on_the_gpu_in_its_first_round_and_by_numpy_after_it(ran):
    assert ran["seen"] == ["cupy._array"] * 2 + ["numpy"] * 8  # two calls a round, which are computed alike


def test_every_call_counts_as_one_on_the_gpu(ran):
    assert ran["ran"] == 10


def test_losses_and_parameters_are_those_of_the_cpu(ran):
    (losses, table), (expected, expected_table) = ran["there"], ran["cpu"]
    assert losses == pytest.approx(expected, rel=1e-12) and len(set(losses)) == 5
    for row, wanted in zip(table, expected_table):
        assert row == pytest.approx(wanted, rel=1e-12)
