"""Llama, Mistral, Qwen2 and Qwen3 against transformers: fifty random configurations of each in float64, logits, loss,
every gradient.

As in test_gpt2_parity.py the weights are drawn anew, and planted faults show that the test can fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from by_their_names import gradients_by_their_names
from in_double import in_double
from redraw import redraw
from tolerances import WHOLE_MODEL

from tinygrad_llm import ops
from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.models import Llama, LlamaConfig, from_pretrained, save_pretrained
from tinygrad_llm.models.hugging_face import LAYOUTS, from_hugging_face
from tinygrad_llm.nn import Attention, RMSNorm, SwiGLU, attention

pytestmark = pytest.mark.oracle

CONFIGURATIONS = 50
FAMILIES = {"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2", "qwen3": "Qwen3"}


@pytest.fixture(autouse=True)
def double():
    with in_double():
        yield


def random_options(family: str, rng: np.random.Generator) -> dict:
    """Their configuration's arguments: sizes alike for all, then what each has of its own."""
    groups, size, layers = int(rng.integers(1, 4)), 2 * int(rng.integers(1, 6)), int(rng.integers(1, 4))
    heads, block = groups * int(rng.integers(1, 4)), int(rng.integers(8, 40))
    options = {
        "vocab_size": int(rng.integers(6, 60)), "max_position_embeddings": block, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": groups, "hidden_size": heads * size,
        "intermediate_size": int(rng.integers(1, 30)), "rms_norm_eps": float(rng.choice([1e-6, 1e-5, 1e-2])),
        "tie_word_embeddings": bool(rng.integers(2)), "bos_token_id": None, "eos_token_id": None,
        "rope_parameters": {"rope_type": "default", "rope_theta": float(rng.choice([30.0, 1e4, 1e6]))},
    }  # fmt: skip
    window = int(rng.integers(2, 8))
    if family != "qwen2":
        options["head_dim"] = size + 2 * int(rng.integers(0, 3))
    if family == "llama":
        options |= {"attention_bias": bool(rng.integers(2)), "mlp_bias": bool(rng.integers(2))}
    if family == "mistral":
        options["sliding_window"] = window if rng.random() < 0.8 else None
    if family.startswith("qwen"):
        options |= {"use_sliding_window": bool(rng.random() < 0.7), "sliding_window": window}
        options["max_window_layers"] = int(rng.integers(0, layers + 1))
    if family == "qwen3":
        options["attention_bias"] = bool(rng.integers(2))
    return options


def their_model(family: str, options: dict, seed: int, folder):
    """transformers' model, drawn anew and saved into the folder."""
    import transformers

    name = FAMILIES[family]
    other = getattr(transformers, f"{name}ForCausalLM")(getattr(transformers, f"{name}Config")(**options))
    other = other.double().eval()
    redraw(other, seed)
    other.save_pretrained(folder)
    return other


def random_case(family: str, seed: int, folder, **changed):
    """Their model of a random configuration, and tokens with room for every window."""
    rng = np.random.default_rng([seed, list(FAMILIES).index(family)])
    options = random_options(family, rng) | changed
    other = their_model(family, options, seed, folder)
    time = int(rng.integers(2, options["max_position_embeddings"] + 1))
    return other, rng.integers(0, options["vocab_size"], (2, time))


def named_gradients(other) -> dict[str, np.ndarray]:
    """Of their model, by the names that its files have."""
    return {name: p.grad.numpy() for name, p in other.named_parameters()}


def compare(other, ours: Llama, tokens: np.ndarray, theirs=named_gradients, equal=WHOLE_MODEL) -> None:
    """Logits, loss, and the gradient of every parameter; `theirs` gives the other model's."""
    import torch

    given = torch.tensor(tokens)
    said = other(given, labels=given)
    np.testing.assert_allclose(ours(tokens).data, said.logits.detach().numpy(), **equal)
    targets = np.concatenate([tokens[:, 1:], np.full((len(tokens), 1), ops.IGNORE)], 1)
    loss = ours.loss({"tokens": tokens, "targets": targets})
    np.testing.assert_allclose(loss.item(), said.loss.item(), **equal)
    loss.backward()
    said.loss.backward()
    wanted, mine = theirs(other), gradients_by_their_names(ours)
    assert mine.keys() == wanted.keys()
    for name, gradient in mine.items():
        np.testing.assert_allclose(gradient, wanted[name], **equal, err_msg=name)


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
@pytest.mark.parametrize("family", FAMILIES)
def test_logits_loss_and_every_gradient_equal_those_of_transformers(family, seed, tmp_path):
    other, tokens = random_case(family, seed, tmp_path)
    compare(other, from_pretrained(tmp_path, dtype=np.float64), tokens)


def halves_swapped(monkeypatch):
    plain = ops.rope
    monkeypatch.setattr(ops, "rope", lambda x, cos, sin: plain(x, cos=cos, sin=-sin))


def pairs_interleaved(monkeypatch):
    plain = ops.rope

    def interleaved(x, cos, sin):
        order = np.arange(x.shape[-1]).reshape(-1, 2).T.reshape(-1)
        return plain(x[..., order], cos=cos, sin=sin)[..., np.argsort(order)]

    monkeypatch.setattr(ops, "rope", interleaved)


def another_base(monkeypatch):
    plain = attention.rotate
    monkeypatch.setattr(attention, "rotate", lambda x, at, base, scaling: plain(x, at, 1.01 * base))


def positions_from_1(monkeypatch):
    """A shift of queries and keys alike moves no score: of the queries alone it does."""
    plain = attention.rotate
    calls = iter(range(10**6))
    monkeypatch.setattr(attention, "rotate", lambda x, at, base, s: plain(x, at + (next(calls) % 2 == 0), base))


def windows_of(shift):
    def plant(monkeypatch):
        plain = Attention._options

        def shifted(self, *args):
            options = plain(self, *args)
            return options | {"window": options["window"] and options["window"] + shift}

        monkeypatch.setattr(Attention, "_options", shifted)

    return plant


def heads_in_the_wrong_order(monkeypatch):
    """Keys repeated as a whole, 0 1 0 1, instead of each by itself, 0 0 1 1."""
    plain = ops.attention

    def wrong(q, k, v, **options):
        order = np.arange(q.shape[1]).reshape(q.shape[1] // k.shape[1], k.shape[1]).T.reshape(-1)
        return plain(q[:, order], k, v, **options)[:, np.argsort(order)]

    monkeypatch.setattr(ops, "attention", wrong)


def norms_after_the_rotation(monkeypatch):
    turned, normed = attention.rotate, attention._normed
    waiting = []
    monkeypatch.setattr(attention, "_normed", lambda x, norm: waiting.append(norm) or x)
    monkeypatch.setattr(attention, "rotate", lambda x, at, base, s: normed(turned(x, at, base), waiting.pop(0)))


def gate_and_up_exchanged(monkeypatch):
    def exchanged(self, x, rng=None):
        return self.down_proj(ops.swiglu(self.up_proj(x), self.gate_proj(x)))

    monkeypatch.setattr(SwiGLU, "__call__", exchanged)


def another_epsilon(monkeypatch):
    monkeypatch.setattr(RMSNorm, "__call__", lambda self, x: ops.rms_norm(x, self.weight, eps=1.1 * self.eps))


FAULTS = {
    "halves swapped": halves_swapped, "pairs interleaved": pairs_interleaved, "another base": another_base,
    "queries one position on": positions_from_1, "a window one too wide": windows_of(1),
    "a window one too narrow": windows_of(-1), "heads in the wrong order": heads_in_the_wrong_order,
    "norms after the rotation": norms_after_the_rotation, "gate and up exchanged": gate_and_up_exchanged,
    "another epsilon": another_epsilon,
}  # fmt: skip
RICH = {
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 16, "head_dim": 6,
    "max_position_embeddings": 16, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1,
    "rms_norm_eps": 1e-2,
}  # fmt: skip
"""Of everything more than one, so that each fault shows."""


@pytest.mark.parametrize("plant", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_fails(plant, tmp_path, monkeypatch):
    other, _ = random_case("qwen3", 0, tmp_path, **RICH)
    tokens = np.random.default_rng(0).integers(0, other.config.vocab_size, (2, 12))
    compare(other, from_pretrained(tmp_path, dtype=np.float64), tokens)
    plant(monkeypatch)
    other.zero_grad()
    with pytest.raises(AssertionError):
        compare(other, from_pretrained(tmp_path, dtype=np.float64), tokens)


WRITTEN = {
    "llama": {"qkv_bias": True, "mlp_bias": True, "tied": True}, "mistral": {"window": 3},
    "qwen2": {"qkv_bias": True, "out_bias": False, "window": 3, "window_from": 1},
    "qwen3": {"qk_norm": True, "head_size": 6, "rope_base": 77.0},
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_saved_here_opens_there(family, tmp_path):
    import torch
    import transformers

    config = LlamaConfig(17, 12, 2, 4, 16, 10, n_kv_head=2, norm_eps=1e-3, **WRITTEN[family])
    ours = Llama(config, rng=np.random.default_rng(0), dtype=np.float64)
    for p in ours.parameters():
        p.assign(np.random.default_rng(p.size).normal(0, 0.5, p.shape))
    save_pretrained(ours, tmp_path)
    other = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float64).eval()
    assert type(other).__name__ == f"{FAMILIES[family]}ForCausalLM"
    tokens = np.random.default_rng(1).integers(0, 17, (2, 12))
    np.testing.assert_allclose(other(torch.tensor(tokens)).logits.detach().numpy(), ours(tokens).data, **WHOLE_MODEL)
    assert from_pretrained(tmp_path).config == config


def other_values(value):
    if isinstance(value, bool):
        return [not value]
    return {int: [3], float: [0.1], str: ["relu", "gelu"], type(None): [True, 5]}.get(type(value), [])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_key_of_theirs_is_known_and_none_is_wrongly_ignored(family, tmp_path):
    import torch

    rich = {key: value for key, value in RICH.items() if key in random_options(family, np.random.default_rng(0))}
    other, tokens = random_case(family, 1, tmp_path, **rich | {"tie_word_embeddings": False})
    kind, said, state = type(other), other.config.to_dict(), other.state_dict()
    arrays = {name: array.numpy() for name, array in state.items()}
    layout = next(layout for layout in LAYOUTS if layout.model_type == family)
    fields = {s.key: ours for ours, s in layout.sizes.items()} | {o.key: ours for ours, o in layout.options.items()}
    plain, used = other(torch.tensor(tokens)).logits, set()
    assert {key for key, value in said.items() if value is not None} <= layout.known_keys() | {"rope_parameters"}
    for key, value in said.items():
        if key == "max_position_embeddings":
            continue  # no more than how long a text may be
        for another in other_values(value):
            try:
                changed = kind(type(other.config).from_dict(said | {key: another})).double().eval()
                changed.load_state_dict(state)
                expected = changed(torch.tensor(tokens)).logits
            except Exception:
                continue  # not a model there either
            if (expected - plain).abs().max() > 1e-12:
                used.add(key)
            try:
                ours = from_hugging_face(said | {key: another}, arrays, np.float64)
            except CheckpointError as error:
                assert key in str(error) or fields[key] in str(error), f"{key} = {another}: {error}"
                continue
            np.testing.assert_allclose(
                ours(tokens).data, expected.detach().numpy(), **WHOLE_MODEL, err_msg=f"{key} = {another}"
            )
    assert {"hidden_act", "rms_norm_eps"} <= used  # the comparison can tell
