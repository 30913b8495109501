"""(IA)^3 against peft, on transformers' GPT-2 and Llama in float64: outputs, gradients, twenty steps, merging, files."""

from __future__ import annotations

import numpy as np
import peft_models
import pytest
from peft_models import GPT2, LLAMA, adapter_parameters, both, compare, some_batch, their_base, their_logits, trained
from tolerances import WHOLE_MODEL

from tinygrad_llm.finetune import IA3, IA3Config, PeftModel, get_peft_model
from tinygrad_llm.models import from_pretrained

pytestmark = [pytest.mark.oracle, peft_models.IGNORE]

TARGETS = {
    GPT2: [(["c_attn", "mlp.c_proj"], ["mlp.c_proj"]), (["c_attn", "c_fc", "attn.c_proj"], ["attn.c_proj"]), (["c_attn"], [])],
    LLAMA: [(["k_proj", "v_proj", "down_proj"], ["down_proj"]), (["q_proj", "o_proj", "gate_proj"], ["q_proj"]), (["v_proj"], ["v_proj"])],
}  # fmt: skip


def config(kind, seed):
    peft = pytest.importorskip("peft", reason="peft is the oracle here")
    targets, feedforward = TARGETS[kind][seed % 3]
    options = {"fan_in_fan_out": kind == GPT2, "task_type": "CAUSAL_LM"}
    return peft.IA3Config(target_modules=targets, feedforward_modules=feedforward, **options)


@pytest.mark.parametrize("kind", [GPT2, LLAMA])
@pytest.mark.parametrize("seed", range(6))
def test_logits_loss_and_every_gradient_equal_those_of_peft(kind, seed, tmp_path):
    theirs, ours = both(kind, seed, config(kind, seed), tmp_path, drawn=0.3)
    compare(theirs, ours, some_batch(seed))
    assert ours.n_trainable() == sum(p.numel() for p in adapter_parameters(theirs).values())


@pytest.mark.parametrize("kind", [GPT2, LLAMA])
def test_from_the_base_itself_twenty_steps_stay_equal_to_those_of_peft(kind, tmp_path):
    theirs, ours = both(kind, 0, config(kind, 0), tmp_path)
    tokens = some_batch(0)["tokens"]
    np.testing.assert_array_equal(ours(tokens).data, ours.unload()(tokens).data)
    trained(theirs, ours)


@pytest.mark.parametrize("kind", [GPT2, LLAMA])
@pytest.mark.parametrize("seed", range(3))
def test_merged_it_is_what_peft_merges(kind, seed, tmp_path):
    theirs, ours = both(kind, seed, config(kind, seed), tmp_path, drawn=0.3)
    merged, before = ours.merge_and_unload(), ours(some_batch(0)["tokens"]).data
    np.testing.assert_allclose(merged(some_batch(0)["tokens"]).data, before, **WHOLE_MODEL)
    theirs.merge_and_unload().save_pretrained(tmp_path / "merged")
    other = from_pretrained(tmp_path / "merged", np.float64).state_dict()
    for name, array in merged.state_dict().items():
        np.testing.assert_allclose(array, other[name], **WHOLE_MODEL, err_msg=name)


@pytest.mark.parametrize("kind", [GPT2, LLAMA])
@pytest.mark.parametrize("targets", [("k_proj", "v_proj", "down_proj"), ("v_proj", "up_proj")])
def test_an_adapter_saved_here_opens_in_peft(kind, targets, tmp_path):
    peft = pytest.importorskip("peft", reason="peft is the oracle here")
    base, rng = their_base(kind, 4), np.random.default_rng(4)
    base.save_pretrained(tmp_path / "base")
    ours = get_peft_model(from_pretrained(tmp_path / "base", np.float64), IA3Config(targets), rng=rng)
    for p in ours.parameters():
        if p.requires_grad:
            p.assign(p.data + rng.normal(0, 0.3, p.shape))
    ours.save_pretrained(tmp_path / "adapter")
    theirs = peft.PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    expected, batch = ours(some_batch(4)["tokens"]).data, some_batch(4)
    np.testing.assert_allclose(their_logits(theirs, batch).detach().numpy(), expected, **WHOLE_MODEL)
    theirs.save_pretrained(tmp_path / "again")
    again = PeftModel.from_pretrained(from_pretrained(tmp_path / "base", np.float64), tmp_path / "again")
    np.testing.assert_allclose(again(batch["tokens"]).data, expected, **WHOLE_MODEL)


def test_a_planted_fault_fails(tmp_path, monkeypatch):
    """Of what the layer gives the bias is scaled, too."""
    theirs, ours = both(GPT2, 0, config(GPT2, 0), tmp_path, drawn=0.3)

    def without_bias(self, x, below, base, rng=None):
        if self.is_feedforward or base.bias is None:
            return below(x * self.ia3_l) if self.is_feedforward else below(x) * self.ia3_l
        return (below(x) - base.bias) * self.ia3_l + base.bias

    monkeypatch.setattr(IA3, "__call__", without_bias)
    with pytest.raises(AssertionError):
        compare(theirs, ours, some_batch(0))
