"""The CPU's step is asked for only where it computes what the model does: other parts, and large models, have none."""

from __future__ import annotations

import numpy as np
import pytest
from decoder_families import decoder

from tinygrad_llm import nn, no_grad
from tinygrad_llm.backend import as_dtype
from tinygrad_llm.generate import cpu_known
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
UNKNOWN = {
    "mlp of another activation": ("mlp", lambda rng: nn.MLP(8, 32, activation="relu", rng=rng, **F64)),
    "first norm": ("norm_1", lambda rng: nn.RMSNorm(8, **F64)),
    "second norm": ("norm_2", lambda rng: nn.RMSNorm(8, **F64)),
    "values of another size": ("attention", lambda rng: nn.Attention(8, 2, causal=True, value_size=3, rng=rng, **F64)),
    "grouped heads": ("attention", lambda rng: nn.Attention(8, 2, 1, causal=True, rng=rng, **F64)),
    "more heads": ("attention", lambda rng: nn.Attention(8, 4, causal=True, rng=rng, **F64)),
    "larger heads": ("attention", lambda rng: nn.Attention(8, 2, causal=True, head_size=6, rng=rng, **F64)),
    "rope": ("attention", lambda rng: nn.Attention(8, 2, causal=True, rope_base=30.0, rng=rng, **F64)),
    "soft cap": ("attention", lambda rng: nn.Attention(8, 2, causal=True, softcap=2.0, rng=rng, **F64)),
    "all may be seen": ("attention", lambda rng: nn.Attention(8, 2, rng=rng, **F64)),
}
KNOWN = {
    "gated mlp": ("mlp", lambda rng: nn.SwiGLU(8, 16, bias=True, rng=rng, **F64)),
    "experts": ("mlp", lambda rng: nn.Experts(8, 6, 3, 2, rng=rng, **F64)),
    "wider mlp": ("mlp", lambda rng: nn.MLP(8, 50, bias=False, rng=rng, **F64)),
    "window": ("attention", lambda rng: nn.Attention(8, 2, causal=True, window=2, rng=rng, **F64)),
    "norms of queries and keys": (
        "attention",
        lambda rng: nn.Attention(8, 2, causal=True, qk_norm=1e-1, bias=False, rng=rng, **F64),
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_whatever_part_is_replaced_texts_are_read_as_the_model_reads_them(name):
    reads_as_the_model(replaced(*UNKNOWN[name]))


@pytest.mark.parametrize("name", KNOWN)
def test_a_block_may_have_any_part_that_some_decoder_has(name):
    reads_as_the_model(replaced(*KNOWN[name]), folded=True)


@pytest.mark.parametrize("name", ["token_embedding", "position_embedding"])
def test_an_embedding_of_another_class_is_read_by_its_own_call(name):
    class Tripled(nn.Embedding):
        def __call__(self, ids):
            return super().__call__(ids) * 3

    model = gpt()
    getattr(model, name).__class__ = Tripled
    reads_as_the_model(model)


class Doubled(nn.Linear):
    """Stands for any layer that is put in the place of a linear one, such as one with an adapter."""

    def __call__(self, x):
        return super().__call__(x) * 2


@pytest.mark.parametrize("path", [
    "token_embedding", "blocks.0", "blocks.1.attention", "blocks.1.attention.q_norm", "blocks.0.attention.k_norm",
    "blocks.0.attention.v_proj", "blocks.1.attention.o_proj", "blocks.0.norm_1", "norm", "blocks.1.mlp",
    "blocks.0.mlp.router", "blocks.1.mlp.experts.2", "blocks.0.mlp.experts.1.gate_proj",
    "blocks.1.mlp.experts.0.down_proj",
])  # fmt: skip
def test_a_replaced_part_of_a_llama_is_read_by_its_own_call(path):
    model = decoder("all at once", 7, n_layer=2, n_experts=3)
    assert cpu_step(model, 2) is not None
    part = dict(model.named_modules())[path]
    kind = type(part)
    part.__class__ = Doubled if kind is nn.Linear else type("Other", (kind,), {})
    reads_as_the_model(model)


def test_layers_replaced_by_adapters_are_read_by_their_own_call():
    class Adapter(nn.Module):
        def __init__(self, base):
            self.base = base

        def __call__(self, x):
            return self.base(x) + x[..., :1]

    for family in ("gpt", "llama"):
        model = decoder(family, 8)
        for pattern in ("**.q_proj", "**.down_proj", "blocks.0.mlp.up_proj"):
            reads_as_the_model(nn.replace(model, pattern, lambda path, module: Adapter(module)))


@pytest.mark.parametrize("name", ["q_proj", "k_proj", "v_proj"])
def test_a_bias_that_one_of_three_has_is_not_lost(name):
    model = gpt()
    for other in {"q_proj", "k_proj", "v_proj"} - {name}:
        getattr(model.blocks[0].attention, other).bias = None
    assert cpu_step(model, 1) is None


def test_experts_of_two_sizes_have_no_step():
    model = decoder("mixtral", 9, n_embd=6, n_hidden=4)
    model.blocks[0].mlp.experts[1] = nn.SwiGLU(6, 5, rng=np.random.default_rng(0), **F64)
    reads_as_the_model(model)


def test_half_precision_has_no_step():
    pytest.importorskip("ml_dtypes")
    assert cpu_step(decoder("llama", 10, dtype=as_dtype("bfloat16")), 1) is None


def reads_as_the_model(model, folded=False):
    assert (cpu_step(model, 2) is not None) is folded
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
        monkeypatch.setattr(cpu_known, "LARGEST", largest)
        assert (cpu_step(gpt(), 1) is not None) is there
    assert cpu_step(object(), 1) is None


def test_experts_count_as_many_as_are_chosen_and_all_are_copied(monkeypatch):
    model = decoder("mixtral", 11, n_experts=5, experts_per_token=2)
    weights = cpu_step(model, 1).weights
    one = 3 * model.config.n_hidden * model.config.n_embd
    assert weights.size - weights.work == 3 * one * model.config.n_layer
    monkeypatch.setattr(cpu_known, "LARGEST", weights.work)
    for largest, there in ((weights.size, True), (weights.size - 1, False)):
        monkeypatch.setattr(cpu_known, "LARGEST_COPY", largest)
        assert (cpu_step(model, 1) is not None) is there
