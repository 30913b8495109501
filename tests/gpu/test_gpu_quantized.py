"""Packed layers are where their model is, and compute there what they compute on the CPU."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.backend import device_of
from tinygrad_llm.finetune import LoraConfig, get_peft_model
from tinygrad_llm.models import Llama, LlamaConfig
from tinygrad_llm.optim import AdamW
from tinygrad_llm.quantize import quantize_linear
from tinygrad_llm.train import fit

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("double", [False, True])
def test_a_packed_model_on_a_gpu_learns_beside_its_codes_as_on_the_cpu(double):
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 30, (4, 9))
    batch = {"tokens": ids[:, :-1], "targets": ids[:, 1:]}
    losses = []
    for device in ("cpu", "cuda"):
        model = Llama(LlamaConfig(30, 8, 1, 2, 16, 24), rng=np.random.default_rng(1)).to(device)
        packed = quantize_linear(model, "blocks.**.*_proj", double=double)
        assert {device_of(leaf.data) for _, leaf in packed.named_state()} == {device}
        adapted = get_peft_model(packed, LoraConfig("blocks.**.*_proj", r=2), rng=np.random.default_rng(2))
        losses.append(fit(adapted.loss, AdamW(adapted.named_parameters(), 0.01), [batch] * 3, threads=1))
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    assert losses[0][2] < losses[0][0]
