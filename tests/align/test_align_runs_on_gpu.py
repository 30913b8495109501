"""A run of `tgl align` on the GPU: the CPU's numbers by every kind of method, with a step that is recorded."""

from __future__ import annotations

import json

import numpy as np
import pytest

cupy = pytest.importorskip("cupy", reason="runs on the stand-in for CuPy")
if cupy.__version__ != "stand-in":
    pytest.skip("is compared with the CPU in one process", allow_module_level=True)

from tinygrad_llm.align.run import resume_align, start_align  # noqa: E402
from tinygrad_llm.align.settings import AlignConfig  # noqa: E402
from tinygrad_llm.models import GPT, GPTConfig, save_pretrained  # noqa: E402
from tinygrad_llm.tokenizer import ByteTokenizer  # noqa: E402
from tinygrad_llm.train import load_checkpoint  # noqa: E402
from tinygrad_llm.train.log import curves  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("gpu")
    model = GPT(GPTConfig(256, 64, 1, 2, 16), rng=np.random.default_rng(0))
    for p in model.parameters():
        p.assign(3 * p.data)
    save_pretrained(model, path / "base")
    ByteTokenizer().save(path / "base")
    lines = [{"prompt": "a" * n, "chosen": "b" * n, "rejected": "c", "answer": "b"} for n in range(1, 8)]
    (path / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def started(folder, out, device, method, **more):
    rated = (
        {"verifier": "contains", "answer_tokens": 4, "group_size": 2, "updates": 2} if method in ("ppo", "grpo") else {}
    )
    settings = {
        "steps": 4, "eval_every": 2, "log_every": 2, "batch_size": 2, "rank": 2, "warmup": 0, "template": "chatml", "threads": "1", "lr": 1e-3,
    }  # fmt: skip
    named = {"model": str(folder / "base"), "data": str(folder / "data.jsonl"), "method": method, "device": device}
    return start_align(AlignConfig(**settings | named | rated | more), out, str)


@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("method", ["dpo", "kto", "reward", "ppo", "grpo"])
def test_a_run_follows_the_cpus_curve_with_a_recorded_step(method, adapter, folder, tmp_path):
    for device in ("cuda", "cpu"):
        trainer = started(folder, tmp_path / device, device, method, adapter=adapter)
        trainer.run(progress=False, report=str)
        assert trainer.model.device == device
        if device == "cuda":
            assert trainer.step.graph.recorded is not None, trainer.step.failure
    for found, expected in zip(*(curves(tmp_path / device / "log.jsonl") for device in ("cuda", "cpu"))):
        assert len(found) == len(expected) > 1
        for (step, loss), (other, value) in zip(found, expected):
            # PPO's advantages have mean 0: its loss is a small difference of large numbers
            assert step == other and loss == pytest.approx(value, rel=2e-3, abs=5e-3 if method == "ppo" else 2e-3)


@pytest.mark.parametrize("method", ["dpo", "ppo"])
def test_a_run_that_was_stopped_goes_on_to_the_bit(method, folder, tmp_path):
    started(folder, tmp_path / "whole", "cuda", method).run(progress=False, report=str)
    trainer = started(folder, tmp_path / "halves", "cuda", method)
    after = trainer._after_step
    trainer._after_step = lambda report: (trainer._ask_to_stop(2, None) if trainer.step_number == 3 else None, after(report))  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        trainer.run(progress=False, report=str)
    resume_align(tmp_path / "halves", {}, str).run(progress=False, report=str)
    one, other = (load_checkpoint(tmp_path / name / "checkpoint" / "last") for name in ("whole", "halves"))
    for group, arrays in one.arrays.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, other.arrays[group][name], err_msg=f"{group} {name}")
