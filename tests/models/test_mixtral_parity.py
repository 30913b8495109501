"""Mixtral against transformers: fifty random configurations in float64, logits, the loss with its balance, every gradient.

As in test_gpt2_parity.py the weights are drawn anew, and planted faults show that the test can fail.
"""

from __future__ import annotations

import inspect
import json
import textwrap
from functools import partial

import numpy as np
import pytest
from in_double import in_double
from redraw import redraw
from test_llama_parity import compare as compare_decoders

from tinygrad_llm import ops
from tinygrad_llm.models import Llama, LlamaConfig, from_pretrained, llama, save_pretrained
from tinygrad_llm.nn import Experts, Routing, SwiGLU, experts

pytestmark = pytest.mark.oracle

CONFIGURATIONS = 50
EQUAL = {"rtol": 1e-9, "atol": 1e-9}


@pytest.fixture(autouse=True)
def double():
    with in_double():
        yield


def random_case(seed: int, folder, **changed):
    """transformers' Mixtral of a random configuration, saved into the folder, and tokens."""
    import transformers

    rng = np.random.default_rng(seed)
    groups, size, experts = int(rng.integers(1, 3)), 2 * int(rng.integers(1, 5)), int(rng.integers(1, 7))
    heads, block = groups * int(rng.integers(1, 4)), int(rng.integers(4, 30))
    options = {
        "vocab_size": int(rng.integers(6, 40)), "max_position_embeddings": block, "num_hidden_layers": int(rng.integers(1, 4)),
        "num_attention_heads": heads, "num_key_value_heads": groups, "hidden_size": heads * size, "bos_token_id": None,
        "intermediate_size": int(rng.integers(1, 20)), "rms_norm_eps": float(rng.choice([1e-5, 1e-2])), "eos_token_id": None,
        "tie_word_embeddings": bool(rng.integers(2)), "sliding_window": int(rng.integers(2, 8)) if rng.random() < 0.3 else None,
        "num_local_experts": experts, "num_experts_per_tok": int(rng.integers(1, experts + 1)),
        "output_router_logits": bool(rng.random() < 0.7), "router_aux_loss_coef": float(rng.choice([0.02, 1.0])),
        "rope_parameters": {"rope_type": "default", "rope_theta": float(rng.choice([30.0, 1e6]))},
    } | changed  # fmt: skip
    config = transformers.MixtralConfig(**options)
    config._experts_implementation = "eager"
    other = transformers.MixtralForCausalLM(config).double().eval()
    redraw(other, seed)
    other.save_pretrained(folder)
    return other, rng.integers(0, options["vocab_size"], (2, int(rng.integers(2, block + 1))))


def their_gradients(other) -> dict[str, np.ndarray]:
    """By the names that their files have: in memory all experts of a layer are one tensor."""
    found = {}
    for name, p in other.named_parameters():
        gradient = p.grad.numpy()
        at = name.replace("mlp.", "block_sparse_moe.")
        if name.endswith("gate_up_proj"):
            for number, both in enumerate(gradient):
                names = [at.replace("gate_up_proj", f"{number}.{w}.weight") for w in ("w1", "w3")]
                found |= dict(zip(names, np.split(both, 2)))
        elif name.endswith("down_proj"):
            found |= {at.replace("down_proj", f"{number}.w2.weight"): one for number, one in enumerate(gradient)}
        else:
            found[at] = gradient
    return found


compare = partial(compare_decoders, theirs=their_gradients, equal=EQUAL)


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_logits_loss_and_every_gradient_equal_those_of_transformers(seed, tmp_path):
    other, tokens = random_case(seed, tmp_path)
    ours = from_pretrained(tmp_path, dtype=np.float64)
    config = other.config
    assert ours.config.balance == (config.router_aux_loss_coef if config.output_router_logits else 0.0)
    compare(other, ours, tokens)


def rewritten(monkeypatch, function, old: str, new: str) -> None:
    """A function of nn/experts.py with one expression exchanged; a fault that no longer fits the code is told."""
    text = inspect.getsource(function)
    assert text.count(old) == 1, text
    names: dict = {}
    exec(textwrap.dedent(text.replace(old, new)), vars(experts), names)
    owner = Experts if "." in function.__qualname__ else experts
    monkeypatch.setattr(owner, function.__name__, names[function.__name__])


def normalised_before_the_choice(monkeypatch):
    """The weights are shares of all experts, and those of a token add up to less than 1."""
    rewritten(monkeypatch, Experts.__call__, "picked / picked.sum(-1, keepdims=True)", "picked")


def one_more_expert(monkeypatch):
    monkeypatch.setattr(Experts, "chosen", property(lambda self: 3, lambda self, value: None), raising=False)


def the_unlikeliest_chosen(monkeypatch):
    plain = experts._likeliest
    monkeypatch.setattr(experts, "_likeliest", lambda shares, count: plain(1 - shares, count))


def weights_of_the_wrong_choice(monkeypatch):
    plain = Experts._through
    monkeypatch.setattr(Experts, "_through", lambda self, x, chosen: plain(self, x, chosen)[:, ::-1])


def gate_and_up_exchanged(monkeypatch):
    monkeypatch.setattr(
        SwiGLU, "__call__", lambda self, x, rng=None: self.down_proj(ops.swiglu(self.up_proj(x), self.gate_proj(x)))
    )


def balance_forgotten(monkeypatch):
    monkeypatch.setattr(llama, "balance_loss", lambda routed: 0.0)


def balance_of_each_layer(monkeypatch):
    plain = llama.balance_loss
    monkeypatch.setattr(llama, "balance_loss", lambda routed: sum(plain([r]) for r in routed) / len(routed))


def balance_without_a_gradient(monkeypatch):
    plain = llama.balance_loss
    monkeypatch.setattr(
        llama, "balance_loss", lambda routed: plain([Routing(r.shares.detach(), r.chosen) for r in routed])
    )


FAULTS = [
    normalised_before_the_choice, one_more_expert, the_unlikeliest_chosen, weights_of_the_wrong_choice, gate_and_up_exchanged,
    balance_forgotten, balance_of_each_layer, balance_without_a_gradient,
]  # fmt: skip
RICH = {
    "num_hidden_layers": 2, "num_local_experts": 4, "num_experts_per_tok": 2, "hidden_size": 16, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 12, "output_router_logits": True, "router_aux_loss_coef": 1.0,
    "intermediate_size": 6,
}  # fmt: skip


@pytest.mark.parametrize("plant", FAULTS, ids=lambda f: f.__name__)
def test_a_planted_fault_fails(plant, tmp_path, monkeypatch):
    other, _ = random_case(0, tmp_path, **RICH)
    tokens = np.random.default_rng(0).integers(0, other.config.vocab_size, (2, 12))
    compare(other, from_pretrained(tmp_path, dtype=np.float64), tokens)
    plant(monkeypatch)
    other.zero_grad()
    with pytest.raises(AssertionError):
        compare(other, from_pretrained(tmp_path, dtype=np.float64), tokens)


@pytest.mark.parametrize("balance", [0.0, 0.3])
def test_a_model_saved_here_opens_there(balance, tmp_path):
    import torch
    import transformers

    config = LlamaConfig(17, 12, 2, 4, 16, 10, n_kv_head=2, window=4, n_experts=3, experts_per_token=2, balance=balance)
    ours = Llama(config, rng=np.random.default_rng(0), dtype=np.float64)
    for p in ours.parameters():
        p.assign(np.random.default_rng(p.size).normal(0, 0.5, p.shape))
    save_pretrained(ours, tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "mixtral"
    assert from_pretrained(tmp_path).config == config
    other = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path, dtype=torch.float64, experts_implementation="eager"
    )
    assert type(other).__name__ == "MixtralForCausalLM"
    tokens = np.random.default_rng(1).integers(0, 17, (2, 12))
    said = other.eval()(torch.tensor(tokens), labels=torch.tensor(tokens))
    np.testing.assert_allclose(said.logits.detach().numpy(), ours(tokens).data, **EQUAL)
    targets = np.concatenate([tokens[:, 1:], np.full((2, 1), ops.IGNORE)], 1)
    assert ours.loss({"tokens": tokens, "targets": targets}).item() == pytest.approx(said.loss.item(), rel=1e-9)
