"""LoRA and DoRA against peft, on transformers' GPT-2 and Llama in float64: outputs, gradients, twenty steps, merging, files.

GPT-2's queries, keys and values are one layer there (`c_attn`, stored transposed) and three here: its adapter is opened as
three that share their A.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import peft_models
import pytest
from peft_models import (
    GPT2,
    LLAMA,
    adapter_parameters,
    both,
    compare,
    named,
    some_batch,
    their_base,
    their_logits,
    trained,
    written,
)
from tolerances import WHOLE_MODEL

from tinygrad_llm.finetune import Adapted, DoRA, LoRA, LoraConfig, PeftModel, get_peft_model
from tinygrad_llm.models import GPT, Llama, from_pretrained

pytestmark = [pytest.mark.oracle, peft_models.IGNORE]

THEIR_TARGETS = {
    GPT2: [["c_attn"], ["c_attn", "c_proj"], ["c_fc", "attn.c_proj"], ["c_attn", "c_proj", "c_fc"]],
    LLAMA: [
        ["q_proj", "v_proj"],
        ["q_proj", "k_proj", "v_proj", "o_proj"],
        ["gate_proj", "down_proj", "k_proj"],
        ["up_proj"],
    ],
}
CONFIGURATIONS = range(8)


def config(kind: str, seed: int, **options: Any) -> Any:
    """A random configuration of theirs."""
    peft = pytest.importorskip("peft", reason="peft is the oracle here")
    rng = np.random.default_rng(seed)
    said = {
        "target_modules": THEIR_TARGETS[kind][seed % 4], "r": int(rng.integers(1, 6)), "lora_alpha": int(rng.integers(1, 20)),
        "use_rslora": bool(rng.integers(2)), "fan_in_fan_out": kind == GPT2, "task_type": "CAUSAL_LM",
    }  # fmt: skip
    return peft.LoraConfig(**said | options)


@pytest.mark.parametrize("kind", [GPT2, LLAMA])
@pytest.mark.parametrize("seed", CONFIGURATIONS)
def test_at_first_nothing_is_changed(kind, seed, tmp_path):
    """To the bit with LoRA, whose B is zero; to rounding with DoRA."""
    with_dora = seed % 2 == 1
    theirs, ours = both(kind, seed, config(kind, seed, use_dora=with_dora), tmp_path)
    base, tokens = from_pretrained(tmp_path / "base", np.float64), some_batch(seed)["tokens"]
    bound = {"rtol": 1e-12, "atol": 1e-12} if with_dora else {"rtol": 0, "atol": 0}
    expected = base(tokens).data if not with_dora else their_logits(theirs, some_batch(seed)).detach().numpy()
    np.testing.assert_allclose(ours(tokens).data, expected if with_dora else ours.unload()(tokens).data, **bound)
    np.testing.assert_allclose(ours(tokens).data, base(tokens).data, **WHOLE_MODEL)


@pytest.mark.parametrize("use_dora", [False, True], ids=["lora", "dora"])
@pytest.mark.parametrize("kind", [GPT2, LLAMA])
@pytest.mark.parametrize("seed", CONFIGURATIONS)
def test_logits_loss_and_every_gradient_equal_those_of_peft(kind, seed, use_dora, tmp_path):
    theirs, ours = both(kind, seed, config(kind, seed, use_dora=use_dora), tmp_path, drawn=0.3)
    compare(theirs, ours, some_batch(seed))
    assert ours.n_trainable() == sum(p.numel() for p in adapter_parameters(theirs).values())


@pytest.mark.parametrize("use_dora", [False, True], ids=["lora", "dora"])
@pytest.mark.parametrize("kind", [GPT2, LLAMA])
@pytest.mark.parametrize("seed", range(3))
def test_twenty_steps_stay_equal_to_those_of_peft(kind, seed, use_dora, tmp_path):
    trained(*both(kind, seed, config(kind, seed, use_dora=use_dora), tmp_path))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("use_dora", [False, True], ids=["lora", "dora"])
@pytest.mark.parametrize("kind", [GPT2, LLAMA])
def test_merged_it_is_what_peft_merges(kind, use_dora, dtype, tmp_path):
    theirs, ours = both(kind, 5, config(kind, 5, use_dora=use_dora), tmp_path, drawn=0.05, dtype=dtype)
    batch, bound = some_batch(5), {"rtol": 1e-6, "atol": 1e-6} if dtype == "float64" else {"rtol": 1e-5, "atol": 1e-5}
    before = ours(batch["tokens"]).data.copy()
    merged = ours.merge_and_unload()
    assert type(merged) is {GPT2: GPT, LLAMA: Llama}[kind]
    other = theirs.merge_and_unload()
    other.save_pretrained(tmp_path / "merged")
    their_arrays = from_pretrained(tmp_path / "merged", getattr(np, dtype)).state_dict()
    for name, array in merged.state_dict().items():
        np.testing.assert_allclose(array, their_arrays[name], rtol=1e-6, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(merged(batch["tokens"]).data, before, **bound)
    ours.merge_adapter()
    np.testing.assert_array_equal(ours(batch["tokens"]).data, merged(batch["tokens"]).data)


OUR_TARGETS = {
    GPT2: [
        ("q_proj", "k_proj", "v_proj"),
        ("q_proj", "v_proj"),
        ("attention.*_proj", "up_proj"),
        ("k_proj", "down_proj"),
    ],
    LLAMA: [("q_proj", "v_proj"), ("attention.*",), ("mlp.*_proj",), ("**",)],
}


@pytest.mark.parametrize("kind", [GPT2, LLAMA])
@pytest.mark.parametrize("seed", CONFIGURATIONS)
def test_an_adapter_saved_here_opens_in_peft(kind, seed, tmp_path):
    """Also where queries and values have an A each, which become one of twice the rank there; and back again."""
    peft = pytest.importorskip("peft", reason="peft is the oracle here")
    rng = np.random.default_rng(seed)
    base = their_base(kind, seed)
    base.save_pretrained(tmp_path / "base")
    alpha, use_dora = [8, 16, 2.5][seed % 3], seed % 5 == 4
    own = LoraConfig(OUR_TARGETS[kind][seed % 4], r=3, lora_alpha=alpha, use_rslora=seed % 2 == 1, use_dora=use_dora)
    ours = get_peft_model(from_pretrained(tmp_path / "base", np.float64), own, rng=rng)
    for p in ours.parameters():
        if p.requires_grad:
            p.assign(p.data + rng.normal(0, 0.3, p.shape))
    ours.save_pretrained(tmp_path / "adapter")
    batch = some_batch(seed)
    theirs = peft.PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    assert set(names(theirs)) == {named(name) for name in written(ours)}
    expected = ours(batch["tokens"]).data
    np.testing.assert_allclose(their_logits(theirs, batch).detach().numpy(), expected, **WHOLE_MODEL)
    theirs.save_pretrained(tmp_path / "again", save_embedding_layers=False)
    again = PeftModel.from_pretrained(from_pretrained(tmp_path / "base", np.float64), tmp_path / "again")
    np.testing.assert_allclose(again(batch["tokens"]).data, expected, **WHOLE_MODEL)


def names(theirs: Any) -> list[str]:
    """Of all of an adapter's numbers, as files have them."""
    return [named(name.replace(".default", "")) for name, _ in theirs.named_parameters() if "lora" in name]


@pytest.mark.parametrize("kind", [GPT2, LLAMA])
def test_several_adapters_beside_one_another_are_those_of_peft(kind, tmp_path):
    """Each alone, both together, none, and one a row of the batch."""
    import torch

    theirs, ours = both(kind, 1, config(kind, 1), tmp_path, drawn=0.3)
    theirs.add_adapter("second", config(kind, 2, use_rslora=True))
    with torch.no_grad():
        for name, p in theirs.named_parameters():
            if ".second" in name:
                p += 0.3 * torch.randn(p.shape, dtype=p.dtype)
    theirs.save_pretrained(tmp_path / "two", selected_adapters=["second"])
    ours.load_adapter(tmp_path / "two" / "second", "second")
    batch = some_batch(1)

    def equal(**options):
        with torch.no_grad():
            expected = their_logits(theirs, batch, **options).numpy()
        np.testing.assert_allclose(ours(batch["tokens"], **options).data, expected, **WHOLE_MODEL)
        return expected

    seen = [equal()]
    theirs.set_adapter("second")
    ours.set_adapter("second")
    seen.append(equal())
    theirs.base_model.set_adapter(["default", "second"])
    ours.set_adapter(["default", "second"])
    seen.append(equal())
    with theirs.disable_adapter(), ours.disable_adapter():
        seen.append(equal())
    mixed = equal(adapter_names=["second", "__base__", "default"])
    np.testing.assert_allclose(mixed[0], seen[1][0], **WHOLE_MODEL)
    np.testing.assert_allclose(mixed[1], seen[3][1], **WHOLE_MODEL)
    np.testing.assert_allclose(mixed[2], seen[0][2], **WHOLE_MODEL)
    assert all(np.abs(a - b).max() > 1e-3 for i, a in enumerate(seen) for b in seen[:i])


# -- faults ----------------------------------------------------------------------------------------------------------


def scaled_as_without_rslora(monkeypatch):
    monkeypatch.setattr(LoRA, "scaling", property(lambda self: self.lora_alpha / self.r))


def scaled_by_alpha(monkeypatch):
    monkeypatch.setattr(LoRA, "scaling", property(lambda self: self.lora_alpha))


def last_layer_left_out(monkeypatch):
    plain = Adapted._through
    monkeypatch.setattr(
        Adapted, "_through", lambda self, x, names, rng: plain(self, x, names if x.shape[-1] != 12 else (), rng)
    )


def lengths_with_a_gradient(monkeypatch):
    def lengths(self, weight):
        turned = LoRA.weights(self, weight, None)[0]
        return (turned * turned).sum(1) ** 0.5

    monkeypatch.setattr(DoRA, "_lengths", lengths)


def lengths_of_the_base(monkeypatch):
    monkeypatch.setattr(DoRA, "_lengths", lambda self, weight: ((weight * weight).sum(1) ** 0.5).detach())


@pytest.mark.parametrize(
    "plant",
    [scaled_as_without_rslora, scaled_by_alpha, last_layer_left_out, lengths_with_a_gradient, lengths_of_the_base],
    ids=lambda f: f.__name__,
)
def test_a_planted_fault_fails(plant, tmp_path, monkeypatch):
    theirs, ours = both(
        GPT2, 1, config(GPT2, 1, use_rslora=True, r=3, use_dora="lengths" in plant.__name__), tmp_path, drawn=0.3
    )
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        compare(theirs, ours, some_batch(1))
