"""Scaled rotary positions against transformers: fifty random configurations of each kind, in texts beyond the trained
length, in both forms that files have; logits, loss, every gradient."""

from __future__ import annotations

import json

import numpy as np
import pytest
from in_double import in_double
from redraw import redraw
from test_llama_parity import compare
from tolerances import WHOLE_MODEL

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.models import Llama, LlamaConfig, from_pretrained, save_pretrained
from tinygrad_llm.nn import (
    DynamicScaling,
    LinearScaling,
    Llama3Scaling,
    RopeScaling,
    YaRN,
    position,
    rope_scaling,
)

pytestmark = pytest.mark.oracle

CONFIGURATIONS = 50
KINDS = ("linear", "dynamic", "yarn", "llama3")


@pytest.fixture(autouse=True)
def double():
    with in_double():
        yield


def random_scaling(kind: str, rng: np.random.Generator, original: int) -> dict:
    scaling = {"rope_type": kind, "rope_theta": float(rng.choice([30.0, 1e4, 1e6])), "factor": float(rng.uniform(1, 6))}
    if kind in ("yarn", "llama3"):
        scaling["original_max_position_embeddings"] = original
    if kind == "yarn":
        fast = float(rng.uniform(0.3, 3))
        scaling |= {} if rng.random() < 0.3 else {"beta_fast": fast, "beta_slow": fast * float(rng.uniform(0.1, 0.9))}
        scaling |= {"truncate": False} if rng.random() < 0.5 else {}
        if rng.random() < 0.3:
            scaling["attention_factor"] = float(rng.uniform(0.5, 2))
        elif rng.random() < 0.5:
            scaling |= {"mscale": float(rng.uniform(0.5, 2)), "mscale_all_dim": float(rng.choice([0, 0.7]))}
    if kind == "llama3":
        low = float(rng.uniform(0.1, 1))
        scaling |= {"low_freq_factor": low, "high_freq_factor": low + float(rng.uniform(0.1, 3))}
    return scaling


def random_case(kind: str, seed: int, folder, **changed):
    """transformers' model with a scaling, saved into the folder in one form or the other; and a long text."""
    import transformers

    rng = np.random.default_rng([seed, KINDS.index(kind)])
    original = int(rng.integers(8, 30))
    scaling = random_scaling(kind, rng, original) | changed
    family = ("Llama", "Mistral", "Qwen2", "Qwen3")[seed % 4]
    longest = int(scaling["factor"] * original)
    config = getattr(transformers, f"{family}Config")(
        vocab_size=23, max_position_embeddings=original if kind == "dynamic" else longest, hidden_size=16,
        num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=2 * int(rng.integers(2, 8)),
        intermediate_size=8, rope_parameters=dict(scaling), bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    other = getattr(transformers, f"{family}ForCausalLM")(config).double().eval()
    redraw(other, seed)
    other.save_pretrained(folder)
    if seed % 3 == 0:
        said = json.loads((folder / "config.json").read_text())
        older = said.pop("rope_parameters")
        said |= {"rope_theta": older.pop("rope_theta"), "rope_scaling": older}
        if seed % 2:
            older["type"] = older.pop("rope_type")
        (folder / "config.json").write_text(json.dumps(said))
    return other, rng.integers(0, 23, (2, int(rng.integers(max(2, longest // 2), longest + 1))))


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
@pytest.mark.parametrize("kind", KINDS)
def test_logits_loss_and_every_gradient_equal_those_of_transformers(kind, seed, tmp_path):
    other, tokens = random_case(kind, seed, tmp_path)
    compare(other, from_pretrained(tmp_path, dtype=np.float64), tokens)


@pytest.mark.filterwarnings("ignore:.past_key_values")
def test_a_dynamic_scaling_reads_on_as_transformers_does(tmp_path):
    """The keys that are there stay as they were turned when they were written."""
    import torch
    from transformers import DynamicCache

    other, _ = random_case("dynamic", 0, tmp_path, factor=4.0)
    ours = from_pretrained(tmp_path, dtype=np.float64)
    trained = ours.config.rope_scaling.original
    tokens = np.random.default_rng(0).integers(0, 23, (2, 3 * trained))
    cache, past = ours.new_cache(2), DynamicCache(config=other.config)
    for start, end in ((0, trained - 2), *((i, i + 1) for i in range(trained - 2, 3 * trained))):
        part = tokens[:, start:end]
        with no_grad(), torch.no_grad():
            said = other(torch.tensor(part), past_key_values=past, use_cache=True)
            found = ours(part, cache=cache).data
        np.testing.assert_allclose(found, said.logits.numpy(), **WHOLE_MODEL)


def scaling_ignored(monkeypatch):
    plain = position.rotate
    monkeypatch.setattr("tinygrad_llm.nn.attention.rotate", lambda x, at, base, scaling: plain(x, at, base))


def magnitude_ignored(monkeypatch):
    monkeypatch.setattr(YaRN, "magnitude", lambda self: 1.0)


def trained_length_ignored(monkeypatch):
    monkeypatch.setattr(DynamicScaling, "depends_on", lambda self, longest: self.original)


def another_exponent(monkeypatch):
    plain = rope_scaling.plain
    monkeypatch.setattr(
        DynamicScaling, "frequencies",
        lambda self, size, base, longest: plain(size, base * (self.factor * longest / self.original - self.factor + 1)),
    )  # fmt: skip


def pairs_for_coordinates(monkeypatch):
    """The ramp over all K coordinates instead of the K/2 pairs."""
    plain = YaRN.frequencies
    monkeypatch.setattr(YaRN, "frequencies", lambda self, size, base, n: plain(self, 2 * size, base, n)[: size // 2])


def no_ramp(monkeypatch):
    def steps(self, size, base, longest):
        w = rope_scaling.plain(size, base)
        return np.where(self.original * w / (2 * np.pi) > self.low, w, w / self.factor)

    monkeypatch.setattr(Llama3Scaling, "frequencies", steps)


FAULTS = [
    ("linear", scaling_ignored), ("dynamic", scaling_ignored), ("yarn", scaling_ignored), ("llama3", scaling_ignored),
    ("yarn", magnitude_ignored), ("yarn", pairs_for_coordinates), ("dynamic", trained_length_ignored),
    ("dynamic", another_exponent), ("llama3", no_ramp),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "plant"), FAULTS, ids=[f"{kind}-{plant.__name__}" for kind, plant in FAULTS])
def test_a_planted_fault_fails(kind, plant, tmp_path, monkeypatch):
    own = {"llama3": {"low_freq_factor": 0.1, "high_freq_factor": 3.0}}.get(kind, {})
    other, _ = random_case(kind, 4, tmp_path, factor=3.0, rope_theta=30.0, **own)
    ours = from_pretrained(tmp_path, dtype=np.float64)
    tokens = np.random.default_rng(0).integers(0, 23, (2, ours.block_size))
    compare(other, ours, tokens)
    plant(monkeypatch)
    position._scaled_tables.cache_clear()
    other.zero_grad()
    with pytest.raises(AssertionError):
        compare(other, from_pretrained(tmp_path, dtype=np.float64), tokens)
    position._scaled_tables.cache_clear()


OURS: list[RopeScaling] = [
    LinearScaling(2.5), DynamicScaling(2.0, 8), YaRN(2.0, 8, 2.0, 0.5, truncate=False), YaRN(4.0, 5, attention_factor=0.8),
    Llama3Scaling(2.0, 8, 0.2, 2.0),
]  # fmt: skip


@pytest.mark.parametrize("scaling", OURS, ids=str)
def test_a_model_saved_here_opens_there(scaling, tmp_path):
    import torch
    import transformers

    config = LlamaConfig(17, 16, 2, 2, 16, 10, rope_base=50.0, rope_scaling=scaling)
    ours = Llama(config, rng=np.random.default_rng(0), dtype=np.float64)
    for p in ours.parameters():
        p.assign(np.random.default_rng(p.size).normal(0, 0.5, p.shape))
    save_pretrained(ours, tmp_path)
    assert from_pretrained(tmp_path).config == config
    other = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float64).eval()
    tokens = np.random.default_rng(1).integers(0, 17, (2, 16))
    np.testing.assert_allclose(other(torch.tensor(tokens)).logits.detach().numpy(), ours(tokens).data, **WHOLE_MODEL)
