"""GPT against transformers' GPT-2: fifty random configurations in float64, logits, loss and every gradient.

The weights are drawn anew, matrices from N(0, 0.2), vectors from U(0.5, 1.5): with the usual first weights a wrong scale or
a missing bias moves the logits by less than rounding elsewhere. Planted faults show that this test can fail.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from by_their_names import gradients_by_their_names
from redraw import redraw
from tolerances import WHOLE_MODEL

from tinygrad_llm import ops
from tinygrad_llm.models import GPT, GPTConfig, from_pretrained, hugging_face, save_pretrained
from tinygrad_llm.models.layout import Stored
from tinygrad_llm.models.layouts.gpt2 import GPT2
from tinygrad_llm.nn import LayerNorm

pytestmark = pytest.mark.oracle

CONFIGURATIONS = 50


def random_model(seed: int, folder):
    """transformers' GPT-2 of a random configuration, saved into the folder; the model and some tokens."""
    from transformers import GPT2Config, GPT2LMHeadModel

    rng = np.random.default_rng(seed)
    heads = int(rng.integers(1, 5))
    config = GPT2Config(
        vocab_size=int(rng.integers(5, 60)), n_positions=int(rng.integers(4, 40)), n_layer=int(rng.integers(1, 5)), n_head=heads,
        n_embd=heads * int(rng.integers(1, 9)), bos_token_id=None, eos_token_id=None,
        embd_pdrop=0.1, attn_pdrop=0.2, resid_pdrop=0.3, tie_word_embeddings=bool(seed % 2),
    )  # fmt: skip
    other = GPT2LMHeadModel(config).double().eval()
    redraw(other, seed)
    other.save_pretrained(folder)
    tokens = rng.integers(0, config.vocab_size, (2, int(rng.integers(2, config.n_positions + 1))))
    return other, tokens


def compare(other, ours: GPT, tokens: np.ndarray) -> None:
    """Logits, loss, and the gradient of every parameter."""
    import torch

    their_tokens = torch.tensor(tokens)
    logits = other(their_tokens).logits
    np.testing.assert_allclose(ours(tokens).data, logits.detach().numpy(), **WHOLE_MODEL)
    # their own loss rounds the logits to float32 first; PyTorch's on the same logits does not
    their_loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), their_tokens[:, 1:].flatten())
    loss = ours.loss({"tokens": tokens[:, :-1], "targets": tokens[:, 1:]})
    np.testing.assert_allclose(loss.item(), their_loss.item(), **WHOLE_MODEL)
    loss.backward()
    their_loss.backward()
    theirs = {name: p.grad.numpy() for name, p in other.named_parameters()}
    mine = gradients_by_their_names(ours)
    assert mine.keys() == theirs.keys() and ("lm_head.weight" in mine) is not other.config.tie_word_embeddings
    for name, gradient in mine.items():
        np.testing.assert_allclose(gradient, theirs[name], **WHOLE_MODEL, err_msg=name)


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_logits_loss_and_every_gradient_equal_those_of_transformers(seed, tmp_path):
    other, tokens = random_model(seed, tmp_path)
    compare(other, from_pretrained(tmp_path, dtype=np.float64), tokens)


def gelu_of_the_other_kind(monkeypatch):
    plain = ops.gelu
    monkeypatch.setattr(ops, "gelu", lambda x, bias=None, approximate="none": plain(x, bias))


def scale_forgotten(monkeypatch):
    plain = ops.packed_attention
    monkeypatch.setattr(ops, "packed_attention", lambda *a, **k: plain(*a, **k, scale=1.0))


def not_causal(monkeypatch):
    plain = ops.packed_attention
    monkeypatch.setattr(ops, "packed_attention", lambda *a, **k: plain(*a, **k | {"causal": False}))


def bias_forgotten(monkeypatch):
    plain = ops.linear
    monkeypatch.setattr(ops, "linear", lambda x, w, b=None: plain(x, w))


def bias_of_the_queries_forgotten(monkeypatch):
    plain = ops.joint_linear
    monkeypatch.setattr(ops, "joint_linear", lambda x, *parts: plain(x, *parts[: len(parts) // 2]))


def keys_and_values_exchanged(monkeypatch):
    swapped = {"blocks.*.attention.{q_proj,v_proj,k_proj}": "transformer.h.*.attn.c_attn"}
    tensors = {n: t for n, t in GPT2.tensors.items() if "{" not in n}
    tensors |= {n: Stored(t, transposed=True) for n, t in swapped.items()}
    layout = replace(GPT2, tensors=tensors)
    monkeypatch.setattr(hugging_face, "LAYOUTS", (layout,))


def another_epsilon(monkeypatch):
    monkeypatch.setattr(LayerNorm, "__call__", lambda self, x: ops.layer_norm(x, self.weight, self.bias, eps=1e-6))


def positions_forgotten(monkeypatch):
    plain = GPT.hidden

    def without(self, tokens, **options):
        self.position_embedding.weight.assign(np.zeros(self.position_embedding.weight.shape))
        return plain(self, tokens, **options)

    monkeypatch.setattr(GPT, "hidden", without)


FAULTS = [
    gelu_of_the_other_kind, scale_forgotten, not_causal, bias_forgotten, bias_of_the_queries_forgotten,
    keys_and_values_exchanged, another_epsilon, positions_forgotten,
]  # fmt: skip


@pytest.mark.parametrize("plant", FAULTS, ids=lambda f: f.__name__)
def test_a_planted_fault_fails(plant, tmp_path, monkeypatch):
    other, tokens = random_model(3, tmp_path)
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        compare(other, from_pretrained(tmp_path, dtype=np.float64), tokens)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_a_model_saved_here_opens_there(bias, tied, tmp_path):
    import torch
    from transformers import GPT2LMHeadModel

    config = GPTConfig(17, 9, 2, 2, 8, bias=bias, tied=tied)
    ours = GPT(config, rng=np.random.default_rng(0), dtype=np.float64)
    save_pretrained(ours, tmp_path)
    other = GPT2LMHeadModel.from_pretrained(tmp_path, dtype=torch.float64).eval()
    tokens = np.random.default_rng(1).integers(0, 17, (2, 9))
    found = other(torch.tensor(tokens)).logits.detach().numpy()
    np.testing.assert_allclose(found, ours(tokens).data, **WHOLE_MODEL)
    other.save_pretrained(tmp_path / "again")
    again = from_pretrained(tmp_path / "again", np.float64)
    assert again.config == config
    for name, array in ours.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array)
