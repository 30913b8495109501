"""What is frozen stays to the bit, has no optimizer state, and is named by patterns."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune.freeze import freeze, unfreeze
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train import fit

RNG = np.random.default_rng(0)
BATCHES = [{name: RNG.integers(0, 11, (4, 6)) for name in ("tokens", "targets")} for _ in range(3)]


def model():
    return GPT(GPTConfig(11, 8, 2, 2, 8), rng=np.random.default_rng(1), dtype=np.float64)


@pytest.mark.parametrize(
    ("patterns", "meant"),
    [
        ((), lambda name: True), (("**",), lambda name: True), (("blocks.0",), lambda name: name.startswith("blocks.0.")),
        (("*_embedding",), lambda name: "_embedding" in name), (("bias",), lambda name: name.endswith(".bias")),
        (("attention.q_proj", "norm"), lambda name: "q_proj" in name or name.startswith("norm.")),
        (("blocks.*.mlp", "blocks.1"), lambda name: ".mlp." in name or name.startswith("blocks.1.")),
        (("norm.weight",), lambda name: name == "norm.weight"),
    ],
)  # fmt: skip
def test_patterns_mean_parameters_and_modules_above_them(patterns, meant):
    found = model()
    count = freeze(found, *patterns)
    frozen = {name for name, p in found.named_parameters() if not p.requires_grad}
    assert frozen == {name for name, _ in found.named_parameters() if meant(name)}
    assert (
        count
        == sum(p.size for name, p in found.named_parameters() if meant(name))
        == found.n_parameters() - found.n_trainable()
    )
    assert unfreeze(found, *patterns) == count and found.n_trainable() == found.n_parameters()


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_frozen_stays_and_the_rest_is_trained_as_if_alone(threads):
    found = model()
    freeze(found, "blocks.0", "*_embedding")
    unfreeze(found, "blocks.0.mlp.up_proj")
    before = {name: p.numpy().copy() for name, p in found.named_parameters()}
    gradients = model()
    gradients.loss(BATCHES[0]).backward()
    found.loss(BATCHES[0]).backward()
    for (name, p), whole in zip(found.named_parameters(), gradients.parameters()):
        assert (p.grad is None) is not p.requires_grad, name
        if p.grad is not None:
            np.testing.assert_allclose(p.grad, whole.grad, rtol=1e-10, atol=1e-12)
            p.grad = None
    optimizer = AdamW(found.named_parameters(), lr=1e-2)
    assert all(array.size == found.n_trainable() for array in optimizer.state.values())
    fit(found.loss, optimizer, BATCHES, threads=threads)
    for name, p in found.named_parameters():
        assert np.array_equal(p.numpy(), before[name]) is not p.requires_grad, name


def test_a_pattern_that_means_nothing_is_refused_and_nothing_is_frozen():
    found = model()
    for call in (freeze, unfreeze):
        with pytest.raises(ArgumentError, match=r"'heads'.*token_embedding\.weight"):
            call(found, "norm", "heads")
    assert found.n_trainable() == found.n_parameters()
