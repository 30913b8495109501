"""The CPU's step is asked for only where it computes what the model does: other parts, and large models, have none."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import nn, no_grad
from tinygrad_llm.generate import cpu_weights
from tinygrad_llm.generate.cpu_step import cpu_step
from tinygrad_llm.generate.reader import Reader
from tinygrad_llm.models import GPT, GPTConfig


def gpt(**options):
    rng = np.random.default_rng(3)
    model = GPT(GPTConfig(9, 12, n_layer=2, n_head=2, n_embd=8, **options), rng=rng, dtype=np.float64)
    for p in model.parameters():
        p.assign(rng.normal(0, 0.5, p.shape))
    return model


def replaced(path, make):
    """A GPT with another part at `path` of its second block; weights drawn anew."""
    model, rng = gpt(), np.random.default_rng(4)
    owner, part = model.blocks[1], make(rng)
    *way, last = path.split(".")
    for name in way:
        owner = getattr(owner, name)
    setattr(owner, last, part)
    for p in part.parameters():
        p.assign(rng.normal(0, 0.5, p.shape))
    return model


F64 = {"dtype": np.float64}
PARTS = {
    "mlp of another activation": ("mlp", lambda rng: nn.MLP(8, 32, activation="relu", rng=rng, **F64)),
    "gated mlp": ("mlp", lambda rng: nn.SwiGLU(8, 16, rng=rng, **F64)),
    "first norm": ("norm_1", lambda rng: nn.RMSNorm(8, **F64)),
    "second norm": ("norm_2", lambda rng: nn.RMSNorm(8, **F64)),
    "values of another size": ("attention", lambda rng: nn.Attention(8, 2, causal=True, value_size=3, rng=rng, **F64)),
    "grouped heads": ("attention", lambda rng: nn.Attention(8, 2, 1, causal=True, rng=rng, **F64)),
    "window": ("attention", lambda rng: nn.Attention(8, 2, causal=True, window=2, rng=rng, **F64)),
    "rope": ("attention", lambda rng: nn.Attention(8, 2, causal=True, rope_base=30.0, rng=rng, **F64)),
    "norms of queries and keys": (
        "attention",
        lambda rng: nn.Attention(8, 2, causal=True, qk_norm=1e-6, rng=rng, **F64),
    ),
    "soft cap": ("attention", lambda rng: nn.Attention(8, 2, causal=True, softcap=2.0, rng=rng, **F64)),
}


@pytest.mark.parametrize("name", PARTS)
def test_whatever_part_is_replaced_texts_are_read_as_the_model_reads_them(name):
    reads_as_the_model(replaced(*PARTS[name]))


@pytest.mark.parametrize("name", ["token_embedding", "position_embedding"])
def test_an_embedding_of_another_class_is_read_by_its_own_call(name):
    class Tripled(nn.Embedding):
        def __call__(self, ids):
            return super().__call__(ids) * 3

    model = gpt()
    getattr(model, name).__class__ = Tripled
    reads_as_the_model(model)


def reads_as_the_model(model):
    assert cpu_step(model, 2) is None
    reader, texts = Reader(model, [[1], [2]]), [[1], [2]]
    for ids in ([3, 4], [5, 5], [0, 8], [7, 1]):
        reader.note(np.array(ids))
        reader.feed(np.array(ids))
        texts = [[*text, token] for text, token in zip(texts, ids)]
        with no_grad():
            np.testing.assert_allclose(reader.logits, model(np.array(texts)).data[:, -1], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"tied": False}], ids=str)
@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_each_norms_own_eps_is_in_the_step(options, eps):
    model = gpt(**options)
    model.blocks[0].norm_2.eps = model.norm.eps = eps
    model.blocks[1].norm_1.eps = 2 * eps
    step, cache = cpu_step(model, 2), model.new_cache(2)
    texts = np.array([[1, 3, 5, 8], [2, 4, 0, 0]])
    for at in range(4):
        found = step(texts[:, at], cache)
        with no_grad():
            np.testing.assert_allclose(found, model(texts[:, : at + 1]).data[:, -1], rtol=1e-10, atol=1e-10)


def test_a_large_model_has_no_step_of_its_own(monkeypatch):
    size = cpu_step(gpt(), 1).weights.size
    for largest, there in ((size, True), (size - 1, False)):
        monkeypatch.setattr(cpu_weights, "LARGEST", largest)
        assert (cpu_step(gpt(), 1) is not None) is there
    assert cpu_step(object(), 1) is None
