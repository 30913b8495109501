"""A whole run on the GPU: trained, stopped, gone on with, written from, and stopped by what cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

cupy = pytest.importorskip("cupy", reason="runs on the stand-in for CuPy")
if cupy.__version__ != "stand-in":
    pytest.skip("runs on the stand-in for CuPy", allow_module_level=True)

from cupy._state import STATE  # noqa: E402

from tinygrad_llm.errors import ConfigError, DeviceError  # noqa: E402
from tinygrad_llm.generate import Sampler, generate  # noqa: E402
from tinygrad_llm.models.gpt import GPT, GPTConfig  # noqa: E402
from tinygrad_llm.train.config import TrainConfig, config_from_dict  # noqa: E402
from tinygrad_llm.train.log import curves  # noqa: E402
from tinygrad_llm.train.run import resume_run, start_run  # noqa: E402


@pytest.fixture
def config(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat. " * 40)
    return TrainConfig(
        text=str(text), n_layer=1, n_head=2, n_embd=16, block_size=8, batch_size=3, steps=12, eval_every=6, log_every=3,
        checkpoint_every=6, eval_batches=2, warmup=2, lr=1e-2, dropout=0.1, device="cuda",
    )  # fmt: skip


def trained(config, out):
    trainer = start_run(config, out)
    trainer.run(progress=False, report=lambda text: None)
    return trainer


def test_a_run_on_the_gpu_follows_the_cpus_curve(config, tmp_path):
    gpu = trained(replace(config, dropout=0.0), tmp_path / "gpu")
    trained(replace(config, dropout=0.0, device="cpu"), tmp_path / "cpu")
    assert gpu.model.device == "cuda" and gpu.step.graph.recorded is not None
    for found, expected in zip(curves(tmp_path / "gpu" / "log.jsonl"), curves(tmp_path / "cpu" / "log.jsonl")):
        values = dict(expected)
        assert found and all(loss == pytest.approx(values[step], rel=1e-3) for step, loss in found)


def test_a_run_that_was_stopped_goes_on_to_the_bit(config, tmp_path):
    whole = trained(config, tmp_path / "whole")
    half = start_run(config, tmp_path / "half")
    half.config = replace(config, steps=6)
    half.run(progress=False, report=lambda text: None)
    resumed = resume_run(tmp_path / "half", {"steps": 12})
    resumed.run(progress=False, report=lambda text: None)
    for p, q in zip(whole.model.parameters(), resumed.model.parameters()):
        np.testing.assert_array_equal(p.numpy(), q.numpy())


def test_without_a_graph_the_run_is_the_same(config, tmp_path):
    graphed, eager = trained(config, tmp_path / "a"), trained(replace(config, graph=False), tmp_path / "b")
    assert graphed.best == eager.best


def test_bf16_keeps_float32_weights_and_learns(config, tmp_path):
    run = trained(replace(config, precision="bf16", steps=24), tmp_path / "run")
    assert {str(p.dtype) for p in run.model.parameters()} == {"float32"}
    _, val = curves(tmp_path / "run" / "log.jsonl")
    assert val[-1][1] < val[0][1] - 0.5


def test_too_little_memory_says_what_to_lower(config, tmp_path):
    trainer = start_run(replace(config, batch_size=64), tmp_path / "run")
    STATE.most_bytes = 30_000
    try:
        with pytest.raises(DeviceError, match=r"Out of memory allocating.*--batch-size \(64\).*--precision bf16"):
            trainer.run(progress=False, report=lambda text: None)
    finally:
        STATE.most_bytes = None


def test_coarse_precision_needs_a_gpu_and_float32(config):
    for change, said in (({"device": "cpu"}, "on the CPU"), ({"dtype": "float64"}, "--dtype float64")):
        with pytest.raises(ConfigError, match=said):
            start_run(replace(config, precision="bf16", **change), None)
    with pytest.raises(ConfigError, match="--dtype float64.*--device cpu"):
        start_run(replace(config, dtype="float64"), None)


def test_a_configuration_saved_before_there_was_a_gpu_is_read(config):
    old = {k: v for k, v in config.to_dict().items() if k not in ("precision", "graph")}
    assert config_from_dict(old) == config


def test_the_gpu_writes_what_the_cpu_writes_and_waits_once_for_several_tokens():
    sizes = GPTConfig(vocab_size=11, block_size=27, n_layer=1, n_head=2, n_embd=16)
    on_cpu, on_gpu = (GPT(sizes, rng=np.random.default_rng(0)).to(device) for device in ("cpu", "cuda"))
    for model in (on_cpu, on_gpu):
        model.token_embedding.weight.assign(20 * model.token_embedding.weight.numpy())  # opinions
    for sampler in (Sampler(0.8), Sampler(1.0, top_k=3), Sampler(1.2, top_p=0.7), Sampler(greedy=True)):
        expected = list(generate(on_cpu, [1, 2], 25, sampler, np.random.default_rng(1)))
        before = STATE.waits()
        assert list(generate(on_gpu, [1, 2], 25, sampler, np.random.default_rng(1))) == expected
        assert STATE.waits() - before <= 6  # 1 + 2 + 4 + 8 + 10
