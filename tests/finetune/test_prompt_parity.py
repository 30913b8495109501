"""Prefix and prompt tuning against peft, on transformers' GPT-2 and Llama in float64: outputs, gradients, twenty steps, files."""

from __future__ import annotations

import numpy as np
import peft_models
import pytest
from peft_models import GPT2, LLAMA, some_batch, their_base
from tolerances import WHOLE_MODEL

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.finetune.peft_prompts import load_virtual_tokens, save_virtual_tokens
from tinygrad_llm.finetune.prefix import PrefixAttention, PrefixTuningConfig, prefix_tuned
from tinygrad_llm.finetune.prompt import PromptTuningConfig, prompt_tuned
from tinygrad_llm.models import from_pretrained
from tinygrad_llm.optim import AdamW

pytestmark = [
    pytest.mark.oracle,
    peft_models.IGNORE,
    pytest.mark.filterwarnings("ignore:`past_key_values` is deprecated:FutureWarning"),  # what peft 0.21 calls it
]

each = pytest.mark.parametrize("what", ["prefix", "prompt"])
each_kind = pytest.mark.parametrize("kind", [GPT2, LLAMA])
COUNT = 4


def theirs_and_ours(what, kind, folder, seed=0):
    peft = pytest.importorskip("peft", reason="peft is the oracle here")
    import torch

    base = their_base(kind, seed)
    base.save_pretrained(folder / "base")
    torch.manual_seed(seed)
    config = {"prefix": peft.PrefixTuningConfig, "prompt": peft.PromptTuningConfig}[what]
    theirs = peft.get_peft_model(base, config(task_type="CAUSAL_LM", num_virtual_tokens=COUNT)).eval()
    theirs.prompt_encoder.double()
    theirs.save_pretrained(folder / "adapter")
    return theirs, load_virtual_tokens(from_pretrained(folder / "base", np.float64), folder / "adapter")


def their_logits(theirs, batch):
    import torch

    logits = theirs(input_ids=torch.tensor(batch["tokens"])).logits
    return logits[:, -batch["tokens"].shape[1] :]


def their_loss(theirs, batch):
    import torch

    return torch.nn.functional.cross_entropy(
        their_logits(theirs, batch).flatten(0, 1), torch.tensor(batch["targets"]).flatten()
    )


def learned(ours, gradients=False):
    """As one array, as it is there: (P, D), or (P, 2 L G K)."""
    arrays = [p.grad if gradients else p.numpy() for p in ours.parameters() if p.requires_grad]
    return (
        arrays[0] if len(arrays) == 1 else np.concatenate([a.transpose(1, 0, 2).reshape(COUNT, -1) for a in arrays], 1)
    )


@each
@each_kind
def test_logits_loss_and_gradients_equal_those_of_peft(what, kind, tmp_path):
    theirs, ours = theirs_and_ours(what, kind, tmp_path)
    batch = some_batch(3)
    np.testing.assert_allclose(ours(batch["tokens"]).data, their_logits(theirs, batch).detach().numpy(), **WHOLE_MODEL)
    loss, other = ours.loss(batch), their_loss(theirs, batch)
    np.testing.assert_allclose(loss.item(), other.item(), **WHOLE_MODEL)
    loss.backward()
    other.backward()
    [p] = [p for p in theirs.parameters() if p.requires_grad]
    np.testing.assert_allclose(learned(ours, gradients=True), p.grad.numpy(), **WHOLE_MODEL)
    assert ours.n_trainable() == p.numel()


@each
@each_kind
def test_twenty_steps_stay_equal_to_those_of_peft(what, kind, tmp_path):
    import torch

    theirs, ours = theirs_and_ours(what, kind, tmp_path)
    [p] = [p for p in theirs.parameters() if p.requires_grad]
    their_optimizer = torch.optim.AdamW([p], lr=1e-2, weight_decay=0.1)
    optimizer = AdamW(ours.named_parameters(), lr=1e-2, weight_decay=0.1, decays=lambda p: True)
    first = p.detach().numpy().copy()
    for step in range(20):
        batch = some_batch(step)
        other = their_loss(theirs, batch)
        their_optimizer.zero_grad()
        other.backward()
        their_optimizer.step()
        ours.loss(batch).backward()
        optimizer.step()
        optimizer.zero_grad()
    np.testing.assert_allclose(learned(ours), p.detach().numpy(), **WHOLE_MODEL)
    assert np.abs(learned(ours) - first).max() > 0.05


@each
@each_kind
def test_what_is_saved_here_opens_in_peft(what, kind, tmp_path):
    peft = pytest.importorskip("peft", reason="peft is the oracle here")
    base = their_base(kind, 2)
    base.save_pretrained(tmp_path / "base")
    rng, plain = np.random.default_rng(2), from_pretrained(tmp_path / "base", np.float64)
    if what == "prefix":
        ours = prefix_tuned(plain, PrefixTuningConfig(COUNT), rng=rng)
    else:
        ours = prompt_tuned(plain, PromptTuningConfig(COUNT), rng=rng)
    save_virtual_tokens(ours, tmp_path / "adapter")
    theirs = peft.PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    theirs.prompt_encoder.double()
    expected = learned(ours)
    found = next(theirs.prompt_encoder.parameters()).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)  # peft keeps them in float32
    again = load_virtual_tokens(from_pretrained(tmp_path / "base", np.float64), tmp_path / "adapter")
    np.testing.assert_array_equal(learned(again), expected)
    batch = some_batch(2)
    bound = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(ours(batch["tokens"]).data, their_logits(theirs, batch).detach().numpy(), **bound)


@each
def test_those_of_another_model_are_refused(what, tmp_path):
    theirs_and_ours(what, GPT2, tmp_path)
    their_base(LLAMA, 0).save_pretrained(tmp_path / "other")
    with pytest.raises(CheckpointError, match="prompt_embeddings"):
        load_virtual_tokens(from_pretrained(tmp_path / "other"), tmp_path / "adapter")


def test_a_planted_fault_fails(tmp_path, monkeypatch):
    """Keys and values exchanged."""
    theirs, ours = theirs_and_ours("prefix", GPT2, tmp_path)
    plain = PrefixAttention._heads

    def exchanged(self, *arguments):
        twin = PrefixAttention(self, self.prefix_values, self.prefix_keys)
        return plain(twin, *arguments)

    monkeypatch.setattr(PrefixAttention, "_heads", exchanged)
    batch = some_batch(3)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(
            ours(batch["tokens"]).data, their_logits(theirs, batch).detach().numpy(), **WHOLE_MODEL
        )
