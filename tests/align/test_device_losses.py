"""The losses of alignment in a GPU's steps: the CPU's curve, the same as a recorded graph, and in bfloat16."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import redrawn
from toy import PAD, texts

cupy = pytest.importorskip("cupy", reason="runs on the stand-in for CuPy")
if cupy.__version__ != "stand-in":
    pytest.skip("is compared with the CPU in one process", allow_module_level=True)

from tinygrad_llm.align import (  # noqa: E402
    PREFERENCES,
    ActorCritic,
    GRPOConfig,
    GRPOLoss,
    PPOLoss,
    PreferenceLoss,
    RewardLoss,
    RewardModel,
    ScalarModel,
    answer_batch,
    preference_batch,
    reward_batch,
    unpaired_batch,
)
from tinygrad_llm.backend.stream import own_stream  # noqa: E402
from tinygrad_llm.models import GPT, GPTConfig  # noqa: E402
from tinygrad_llm.optim import AdamW  # noqa: E402
from tinygrad_llm.train.device_step import DeviceStep, GraphedStep  # noqa: E402
from tinygrad_llm.train.step import EagerStep  # noqa: E402

PROMPTS, ONE, OTHER = texts(81, 4)
RNG = np.random.default_rng(82)
PAIRS = preference_batch(PROMPTS, ONE, OTHER, PAD) | {
    f"{who}_reference": RNG.normal(-9, 1, 4) for who in ("chosen", "rejected")
}
SINGLES = unpaired_batch(PROMPTS, ONE, [True, False, True, False], PAD) | {
    "reference": RNG.normal(-9, 1, 4),
    "point": np.full(4, 0.3),
}
SINGLES = {name: array for name, array in SINGLES.items() if not name.startswith("mismatched")}
WRITTEN = answer_batch(PROMPTS, ONE, PAD)
PLACES = WRITTEN["tokens"].shape
NUMBERS = {
    name: RNG.normal(-2, 0.5, PLACES) for name in ("old_log_probs", "reference_log_probs", "old_values", "returns")
}
WRITTEN |= NUMBERS | {"advantages": RNG.normal(size=4)}
BY_TOKEN = WRITTEN | {"advantages": RNG.normal(size=PLACES)}
CASES = {
    "dpo": (lambda gpt: gpt, lambda model: PreferenceLoss(model, PREFERENCES["dpo"]), PAIRS),
    "ipo": (lambda gpt: gpt, lambda model: PreferenceLoss(model, PREFERENCES["ipo"]), PAIRS),
    "kto": (lambda gpt: gpt, lambda model: PreferenceLoss(model, PREFERENCES["kto"]), SINGLES),
    "grpo": (lambda gpt: gpt, lambda model: GRPOLoss(model, GRPOConfig(kl_coef=0.1)), WRITTEN),
    "ppo": (lambda gpt: ActorCritic(gpt, ScalarModel(gpt)), PPOLoss, BY_TOKEN),
    "reward": (RewardModel, RewardLoss, reward_batch(PROMPTS, ONE, OTHER)),
}
each = pytest.mark.parametrize("name", CASES)


def learner(name, device):
    """The loss, its optimizer and its batch; the same on either device, moved once it is whole."""
    wrap, loss, batch = CASES[name]
    model = wrap(redrawn(GPT(GPTConfig(11, 16, 1, 2, 16), rng=np.random.default_rng(1)), 1)).to(device)
    return loss(model), AdamW(model.named_parameters(), lr=1e-2), batch


def curve(kind, name, device, steps=5, **options):
    loss, optimizer, batch = learner(name, device)
    step = kind(loss, optimizer, **{"clip": 1.0, "seed": 0, **options})
    found = []
    with own_stream(device):
        for number in range(steps):
            result = step([batch], number, 1e-2, loss.divisor(batch)) or step.read()
            found.append(result.loss)
    assert len(set(found)) == steps
    return found, step


@each
def test_the_curve_is_the_cpus(name):
    found, expected = curve(DeviceStep, name, "cuda")[0], curve(EagerStep, name, "cpu")[0]
    np.testing.assert_allclose(found, expected, rtol=5e-4, atol=1e-5)


@each
def test_recorded_as_a_graph_a_step_is_the_same(name):
    found, step = curve(GraphedStep, name, "cuda")
    assert found == curve(DeviceStep, name, "cuda")[0] and step.graph.recorded is not None and not step.failure


@each
def test_in_bfloat16_it_follows_the_same_curve(name):
    found, expected = curve(DeviceStep, name, "cuda", precision="bf16")[0], curve(DeviceStep, name, "cuda")[0]
    assert found != expected
    np.testing.assert_allclose(found, expected, rtol=5e-2, atol=2e-2)
