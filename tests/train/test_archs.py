"""`--arch`: each architecture trains, stops, goes on and opens again; settings of another are refused by name."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tinygrad_llm.errors import ConfigError
from tinygrad_llm.models import GPT, GPTConfig, Llama, LlamaConfig, from_pretrained
from tinygrad_llm.ops import IGNORE
from tinygrad_llm.train import Interrupted, TrainConfig, load_checkpoint, model_of
from tinygrad_llm.train.run import resume_run, start_run
from tinygrad_llm.train.step import EagerStep, ThreadedStep

TEXT = "the cat sat on the mat, and the dog sat on the hill.\n" * 12
ARCHS = {
    "gpt": ({}, "gpt2"), "llama": ({"bias": True, "n_kv_head": 1}, "llama"), "windowed": ({"window": 3}, "mistral"),
    "mixtral": ({"n_experts": 3, "experts_per_token": 2, "balance": 0.1}, "mixtral"),
    "free": ({"n_experts": 3, "experts_per_token": 1, "balance": 0.0, "window": 4}, "mixtral"),
}  # fmt: skip
"""Options, and the model_type of the files."""
every_arch = pytest.mark.parametrize("name", ARCHS)


def config_of(name, tmp_path, **more):
    (tmp_path / "text.txt").write_text(TEXT)
    arch = {"windowed": "llama", "free": "mixtral"}.get(name, name)
    return TrainConfig(
        text=str(tmp_path / "text.txt"), arch=arch, n_layer=2, n_head=2, n_embd=8, block_size=8, steps=8, batch_size=4,
        warmup=2, eval_every=4, checkpoint_every=4, log_every=1, dropout=0.2, lr=1e-2, **ARCHS[name][0] | more,
    )  # fmt: skip


def run(trainer):
    trainer.run(progress=False, report=lambda line: None)
    return trainer


@every_arch
def test_a_run_that_was_stopped_ends_with_the_bits_of_one_that_was_not(name, tmp_path):
    config = config_of(name, tmp_path)
    whole = run(start_run(config, tmp_path / "whole"))
    stopped = start_run(config, tmp_path / "stopped")
    plain = stopped._one_step
    stopped._one_step = lambda bar: (plain(bar), setattr(stopped, "stop_asked", stopped.step_number == 3))
    with pytest.raises(Interrupted):
        run(stopped)
    again = run(resume_run(tmp_path / "stopped", {}))
    assert again.threads == whole.threads and type(again.model) is type(whole.model)
    for ours, theirs in zip(again.model.parameters(), whole.model.parameters()):
        assert ours.data.tobytes() == theirs.data.tobytes()


@every_arch
def test_a_checkpoint_is_a_model_of_its_architecture(name, tmp_path):
    trainer = run(start_run(config_of(name, tmp_path), tmp_path / "run"))
    folder = tmp_path / "run" / "checkpoint" / "last"
    assert json.loads((folder / "config.json").read_text())["model_type"] == ARCHS[name][1]
    opened = from_pretrained(folder)
    assert type(opened) is (GPT if name == "gpt" else Llama) and opened.config == trainer.model.config
    assert opened.config == model_of(load_checkpoint(folder)).config
    for ours, theirs in zip(opened.parameters(), trainer.model.parameters()):
        np.testing.assert_array_equal(ours.data, theirs.data)


@pytest.mark.parametrize("width", [48, 96, 384])
def test_a_token_is_multiplied_by_as_many_weights_in_each_architecture(width):
    def of_a_block(**settings):
        sizes = TrainConfig(n_embd=width, n_head=4, **settings).model(50)
        kind = GPT if isinstance(sizes, GPTConfig) else Llama
        block = kind(sizes, rng=np.random.default_rng(0)).blocks[0]
        used = [p for name, p in block.named_parameters() if p.ndim == 2 and "router" not in name]
        experts = [p for p in block.mlp.parameters() if p.ndim == 2] if "n_experts" in settings else []
        if experts:
            skipped = 1 - settings["experts_per_token"] / settings["n_experts"]
            return sum(p.size for p in used) - skipped * sum(p.size for e in block.mlp.experts for p in e.parameters())
        return sum(p.size for p in used)

    gpt = of_a_block()
    assert gpt == 12 * width**2
    assert of_a_block(arch="llama") == gpt  # 8 D / 3 is a whole number at these widths
    assert of_a_block(arch="mixtral", n_experts=8, experts_per_token=2) == gpt
    assert of_a_block(arch="mixtral", n_experts=4, experts_per_token=4) == gpt


def test_each_setting_reaches_the_model():
    llama = TrainConfig(arch="llama", n_kv_head=2, window=9, dropout=0.3).model(50)
    assert llama == LlamaConfig(50, 64, 4, 4, 128, 341, n_kv_head=2, window=9, dropout=0.3, tied=True)
    assert TrainConfig(arch="llama", bias=True).model(50) == LlamaConfig(
        50, 64, 4, 4, 128, 341, qkv_bias=True, mlp_bias=True, tied=True
    )
    experts = {"n_experts": 6, "experts_per_token": 3, "balance": 0.5}
    assert TrainConfig(arch="mixtral", **experts).model(50) == LlamaConfig(50, 64, 4, 4, 128, 114, tied=True, **experts)


REFUSED = [
    ({"n_kv_head": 2}, "n_kv_head.*gpt"), ({"window": 3}, "window.*gpt"), ({"n_experts": 4}, "n_experts.*gpt"),
    ({"arch": "llama", "n_experts": 4}, "n_experts.*llama"), ({"arch": "llama", "balance": 0.0}, "balance.*llama"),
    ({"arch": "llama", "experts_per_token": 1}, "experts_per_token.*llama"), ({"arch": "bert"}, "arch.*gpt or llama or mixtral"),
    ({"arch": "mixtral", "bias": True}, "bias"), ({"arch": "llama", "window": 2, "bias": True}, "bias"),
    ({"arch": "mixtral", "experts_per_token": 9}, "experts_per_token"), ({"arch": "llama", "n_kv_head": 3}, "n_kv_head"),
    ({"arch": "llama", "n_embd": 12, "n_head": 4}, "head_size"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "words"), REFUSED, ids=str)
def test_what_an_architecture_does_not_have_is_refused_by_name(settings, words):
    with pytest.raises(ConfigError, match=words):
        TrainConfig(**settings)


def test_a_balance_is_trained_on_and_not_measured(tmp_path):
    trainer = start_run(config_of("mixtral", tmp_path), tmp_path / "run")
    assert trainer.threads == 1 and trainer.model.couples_examples
    found, model = trainer.evaluate(), trainer.model
    tokens = trainer.corpus.val
    total = 0.0
    for start in range(0, len(tokens) - 1, 8):
        targets = tokens[start + 1 : start + 9]
        text = {"tokens": tokens[start : start + len(targets)][None], "targets": targets[None]}
        assert (text["targets"] != IGNORE).all()
        total -= model.token_log_probs(text).data.sum()
    assert found == pytest.approx(total / (len(tokens) - 1), rel=1e-5)
    batch = trainer.batches[0]
    assert trainer.loss(batch).item() > model.cross_entropy(batch).item() + 0.1


def test_threads_share_a_batch_where_its_loss_is_a_sum(tmp_path):
    free, bound = (config_of(name, tmp_path, threads="2") for name in ("free", "mixtral"))
    with pytest.raises(ConfigError, match="--threads 1"):
        run(start_run(bound, tmp_path / "bound"))
    for config, count, kind in ((free, 2, ThreadedStep), (replace(bound, threads="auto"), 1, EagerStep)):
        trainer = start_run(config, tmp_path / str(count))
        step = trainer.make_step(print)
        step.close()
        assert trainer.threads == count and isinstance(step, kind)
