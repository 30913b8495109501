"""Adapters, prefixes and prompts in a GPU's steps: the CPU's curve, the same as a recorded graph, and in bfloat16."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import redrawn

cupy = pytest.importorskip("cupy", reason="runs on the stand-in for CuPy")
if cupy.__version__ != "stand-in":
    pytest.skip("is compared with the CPU in one process", allow_module_level=True)

from tinygrad_llm.autograd import tensor  # noqa: E402
from tinygrad_llm.backend import as_array  # noqa: E402
from tinygrad_llm.backend.stream import own_stream  # noqa: E402
from tinygrad_llm.datasets.packing import pack  # noqa: E402
from tinygrad_llm.finetune import (  # noqa: E402
    HoulsbyConfig,
    IA3Config,
    LoraConfig,
    PrefixTuningConfig,
    PromptTuningConfig,
    get_peft_model,
    prefix_tuned,
    prompt_tuned,
)
from tinygrad_llm.models import GPT, GPTConfig  # noqa: E402
from tinygrad_llm.optim import AdamW  # noqa: E402
from tinygrad_llm.train.device_step import DeviceStep, GraphedStep  # noqa: E402
from tinygrad_llm.train.step import EagerStep  # noqa: E402

RNG = np.random.default_rng(0)
BATCHES = [{name: RNG.integers(0, 11, (3, 6)) for name in ("tokens", "targets")} for _ in range(8)]


def with_config(config):
    return lambda model: get_peft_model(model, config, rng=np.random.default_rng(2))


MAKERS = {
    "lora": with_config(LoraConfig("attention.*_proj", r=2)),
    "dora": with_config(LoraConfig(("q_proj", "down_proj"), r=2, use_dora=True)),
    "ia3": with_config(IA3Config()),
    "houlsby": with_config(HoulsbyConfig(bottleneck=3)),
    "prefix": lambda model: prefix_tuned(model, PrefixTuningConfig(2), rng=np.random.default_rng(2)),
    "prompt": lambda model: prompt_tuned(model, PromptTuningConfig(2), rng=np.random.default_rng(2)),
}
each = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def adapted(make, device):
    """The same on either device: moved once it is whole."""
    plain = redrawn(GPT(GPTConfig(11, 8, 1, 2, 16), rng=np.random.default_rng(1)), 1)
    model = make(plain).to(device)
    return model, AdamW(model.named_parameters(), lr=1e-2)


@each
def test_what_is_made_of_a_model_on_a_gpu_is_there_too(make, monkeypatch):
    monkeypatch.setattr(tensor, "as_array", as_array)  # else every new tensor is there
    model = make(redrawn(GPT(GPTConfig(11, 8, 1, 2, 16), rng=np.random.default_rng(1)), 1).to("cuda"))
    assert {p.device for p in model.parameters()} == {"cuda"}


def curve(step, batches=BATCHES):
    found = []
    with own_stream("cuda" if isinstance(step, DeviceStep) else "cpu"):
        for number, batch in enumerate(batches):
            result = step([batch], number, 1e-2, 18) or step.read()
            found.append(result.loss)
    return found


@each
def test_the_curve_is_the_cpus(make):
    (on_gpu, theirs), (on_cpu, ours) = adapted(make, "cuda"), adapted(make, "cpu")
    expected = curve(EagerStep(on_cpu.loss, ours))
    np.testing.assert_allclose(curve(DeviceStep(on_gpu.loss, theirs, clip=1.0, seed=0)), expected, rtol=2e-4)


@each
def test_in_bfloat16_it_follows_the_same_curve_and_what_is_learned_stays_float32(make):
    (exact, ours), (coarse, theirs) = adapted(make, "cuda"), adapted(make, "cuda")
    expected = curve(DeviceStep(exact.loss, ours, clip=1.0, seed=0))
    found = curve(DeviceStep(coarse.loss, theirs, clip=1.0, seed=0, precision="bf16"))
    assert found != expected
    np.testing.assert_allclose(found, expected, rtol=3e-2)
    assert all(p.dtype == np.float32 for p in coarse.parameters())


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_recorded_as_a_graph_a_step_is_the_same_with_other_draws_each_time(dropout):
    make = with_config(LoraConfig("**", r=2, lora_dropout=dropout))
    (plain, ours), (graphed, theirs) = adapted(make, "cuda"), adapted(make, "cuda")
    expected = curve(DeviceStep(plain.loss, ours, clip=1.0, seed=4))
    step = GraphedStep(graphed.loss, theirs, clip=1.0, seed=4)
    assert curve(step) == expected and step.graph.recorded is not None and not step.failure


def test_packed_texts_are_a_batch_on_the_gpu():
    texts = [(RNG.integers(0, 11, n), np.ones(n, bool)) for n in (4, 5, 8, 3)]
    batch = pack(texts, 8, 0)
    (on_gpu, theirs), (on_cpu, ours) = adapted(MAKERS["lora"], "cuda"), adapted(MAKERS["lora"], "cpu")
    expected = curve(EagerStep(on_cpu.loss, ours), [batch] * 4)
    np.testing.assert_allclose(
        curve(DeviceStep(on_gpu.loss, theirs, clip=1.0, seed=0), [batch] * 4), expected, rtol=2e-4
    )
