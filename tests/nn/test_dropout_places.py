"""Where dropout acts: at each place that the papers name, with an rng alone, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from draws import Draws, each_draw_counts

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.nn import MLP, Attention, Dropout, KVCache, LayerNorm, PostNormBlock, SwiGLU, TransformerBlock

B, T, S, D, H, F = 2, 3, 4, 8, 2, 10
WEIGHTS, CROSSED, STREAM, HIDDEN = (B, H, T, T), (B, H, T, S), (B, T, D), (B, T, F)
X, SOURCE = (Tensor(np.random.default_rng(1).normal(size=(B, n, D))) for n in (T, S))
KEYS = {"mask": np.ones((B, T), bool)}
HALF = {"dropout": 0.5, "rng": np.random.default_rng(0), "std": 0.5, "dtype": np.float64}


def attention(**options):
    return Attention(D, H, **HALF, **options)


def mlp(**options):
    return MLP(D, F, **HALF, **options)


def norm():
    return LayerNorm(D, dtype=np.float64)


PRE = TransformerBlock(norm(), attention(), norm(), mlp())
TURNED = TransformerBlock(norm(), attention(rope_base=9.0, causal=True), norm(), SwiGLU(D, F, **HALF))
POST = PostNormBlock(attention(), norm(), mlp(hidden_dropout=0.5), norm(), attention(), norm())
ENCODER = PostNormBlock(attention(), norm(), mlp(), norm())
PLACES = {
    "itself": (attention(), {}, [WEIGHTS, STREAM]), "its past": (attention(causal=True), {}, [WEIGHTS, STREAM]),
    "with RoPE": (attention(rope_base=9.0), {}, [WEIGHTS, STREAM]), "under a mask": (attention(), KEYS, [WEIGHTS, STREAM]),
    "with lengths": (attention(), {"lengths": np.array([3, 2])}, [WEIGHTS, STREAM]),
    "another text": (attention(), {"source": SOURCE}, [CROSSED, STREAM]),
    "values of another size": (attention(value_size=3), {}, [WEIGHTS, STREAM]),
    "MLP": (mlp(), {}, [STREAM]), "hidden": (MLP(D, F, hidden_dropout=0.5, rng=HALF["rng"], dtype=np.float64), {}, [HIDDEN]),
    "both": (mlp(hidden_dropout=0.5), {}, [HIDDEN, STREAM]), "SwiGLU": (SwiGLU(D, F, **HALF), {}, [STREAM]),
    "pre-norm": (PRE, {}, [WEIGHTS, STREAM, STREAM]), "pre-norm, masked": (PRE, KEYS, [WEIGHTS, STREAM, STREAM]),
    "Llama's": (TURNED, {}, [WEIGHTS, STREAM, STREAM]), "post-norm": (ENCODER, {}, [WEIGHTS, STREAM, STREAM]),
    "post-norm, crossed": (POST, {"memory": SOURCE}, [WEIGHTS, STREAM, CROSSED, STREAM, HIDDEN, STREAM]),
    "alone": (Dropout(0.5), {}, [STREAM]), "never": (Dropout(0.0), {}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_each_place_drops_with_an_rng_and_what_it_drops_counts(name):
    layer, options, places = PLACES[name]
    each_draw_counts(lambda rng: layer(X, rng=rng, **options).data, places)


@pytest.mark.parametrize("name", PLACES)
def test_without_an_rng_the_rates_change_nothing(name):
    layer, options, _ = PLACES[name]
    before = layer(X, **options).data
    rates = [(part, part.p) for _, part in layer.named_modules() if isinstance(part, Dropout)]
    for part, _ in rates:
        part.p = 0.0
    np.testing.assert_array_equal(layer(X, **options).data, before)
    np.testing.assert_array_equal(layer(X, rng=Draws(), **options).data, before)
    for part, p in rates:
        part.p = p


def test_attention_drops_beside_a_cache_too():
    layer = attention(causal=True)

    def read(rng):
        with no_grad():
            cache = KVCache(1, B)
            layer(X, cache=cache[0])
            cache.advance(T)
            return layer(X, cache=cache[0], rng=rng).data

    each_draw_counts(read, [(B, H, T, 2 * T), STREAM])


def test_a_kept_entry_is_divided_by_its_chance_of_being_kept():
    for layer in (Dropout(0.2), MLP(D, F, dropout=0.2, rng=HALF["rng"], dtype=np.float64)):
        np.testing.assert_allclose(layer(X, rng=Draws()).data, layer(X).data / 0.8, rtol=1e-6)
    layer = attention()
    layer.dropout.p = 0.2  # of the weights and of what comes of them
    layer.o_proj.bias.assign(np.zeros(D))
    np.testing.assert_allclose(layer(X, rng=Draws()).data, layer(X).data / 0.64, rtol=1e-6)
