"""A run of `tgl finetune` on the GPU: the CPU's curve by every method, gone on with to the bit, and talked with there."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

cupy = pytest.importorskip("cupy", reason="runs on the stand-in for CuPy")
if cupy.__version__ != "stand-in":
    pytest.skip("is compared with the CPU in one process", allow_module_level=True)

from tinygrad_llm.cli import chat  # noqa: E402
from tinygrad_llm.cli.main import main  # noqa: E402
from tinygrad_llm.finetune.run import resume_finetune, start_finetune  # noqa: E402
from tinygrad_llm.finetune.settings import METHODS, FinetuneConfig  # noqa: E402
from tinygrad_llm.models import GPT, GPTConfig, save_pretrained  # noqa: E402
from tinygrad_llm.tokenizer import ByteTokenizer  # noqa: E402
from tinygrad_llm.train import load_checkpoint  # noqa: E402
from tinygrad_llm.train.log import curves  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("gpu")
    model = GPT(GPTConfig(256, 48, 1, 2, 16), rng=np.random.default_rng(0))
    for p in model.parameters():
        p.assign(4 * p.data)
    save_pretrained(model, path / "base")
    ByteTokenizer().save(path / "base")
    lines = [{"prompt": f"{'a' * n}?", "completion": "b" * n} for n in range(1, 8)]
    (path / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def started(folder, out, device, method, **more):
    config = FinetuneConfig(
        model=str(folder / "base"), data=str(folder / "data.jsonl"), method=method, steps=4, eval_every=2, log_every=2, batch_size=2, rank=2,
        virtual_tokens=3, warmup=0, device=device, threads="1", **more,
    )  # fmt: skip
    return start_finetune(config, out, str)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_follows_the_cpus_curve(method, folder, tmp_path):
    for device in ("cuda", "cpu"):
        trainer = started(folder, tmp_path / device, device, method)
        trainer.run(progress=False, report=str)
        assert trainer.model.device == device
    for found, expected in zip(*(curves(tmp_path / device / "log.jsonl") for device in ("cuda", "cpu"))):
        assert len(found) == len(expected) > 1
        for (step, loss), (other, value) in zip(found, expected):
            assert step == other and loss == pytest.approx(value, rel=2e-3)


@pytest.mark.parametrize("method", ["lora", "qlora", "full"])
def test_a_run_that_was_stopped_goes_on_to_the_bit(method, folder, tmp_path):
    started(folder, tmp_path / "whole", "cuda", method).run(progress=False, report=str)
    half = started(folder, tmp_path / "half", "cuda", method)
    step = half._after_step
    half._after_step = lambda report: (setattr(half, "stop_asked", 2 * (half.step_number == 2)), step(report))
    with pytest.raises(KeyboardInterrupt):
        half.run(progress=False, report=str)
    resume_finetune(tmp_path / "half", {}, str).run(progress=False, report=str)
    one, other = (load_checkpoint(tmp_path / name / "checkpoint" / "last").arrays for name in ("whole", "half"))
    for group in one:
        for name, array in one[group].items():
            np.testing.assert_array_equal(array, other[group][name], err_msg=name)


@pytest.mark.parametrize("method", ["lora", "qlora", "adapter", "prefix"])
def test_it_is_talked_with_there(method, folder, tmp_path, monkeypatch, capsys):
    started(folder, tmp_path / "run", "cuda", method).run(progress=False, report=str)
    shown = []
    for device in ("cuda", "cpu"):
        monkeypatch.setattr(chat, "_piped", lambda: iter(["aa?"]))
        monkeypatch.setattr(sys, "stdin", None)
        assert main(["chat", str(tmp_path / "run"), "--greedy", "--tokens", "5", "--device", device]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] and shown[0].strip()
