"""First weights, layer by layer: the deviation that the docstring gives, the same in every precision."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.nn import (
    GRU,
    LSTM,
    MLP,
    RNN,
    Attention,
    Embedding,
    LayerNorm,
    Linear,
    PatchEmbedding,
    RMSNorm,
    SwiGLU,
)


def rng():
    return np.random.default_rng(7)


def attention(**options):
    return Attention(40, 4, 2, source_width=90, head_size=20, value_size=15, rng=rng(), **options)


# inputs and outputs differ everywhere, so that one is not taken for the other
DEFAULTS = {
    "Linear": (lambda **o: Linear(90, 30, rng=rng(), **o), {"weight": 90**-0.5}),
    "PatchEmbedding": (lambda **o: PatchEmbedding(10, 3, 30, rng=rng(), **o), {"proj.weight": 90**-0.5}),
    "Embedding": (lambda **o: Embedding(90, 30, rng=rng(), **o), {"weight": 1.0}),
    "MLP": (lambda **o: MLP(40, 70, rng=rng(), **o), {"up_proj.weight": 40**-0.5, "down_proj.weight": 70**-0.5}),
    "SwiGLU": (lambda **o: SwiGLU(40, 70, rng=rng(), **o),
               {"gate_proj.weight": 40**-0.5, "up_proj.weight": 40**-0.5, "down_proj.weight": 70**-0.5}),
    "Attention": (attention, {"q_proj.weight": 40**-0.5, "k_proj.weight": 90**-0.5, "v_proj.weight": 90**-0.5,
                              "o_proj.weight": 60**-0.5}),
    "RNN": (lambda **o: RNN(90, 40, rng=rng(), **o), {"weight_ih": 90**-0.5, "weight_hh": 40**-0.5}),
    "GRU": (lambda **o: GRU(90, 40, rng=rng(), **o), {"weight_ih": 90**-0.5, "weight_hh": 40**-0.5}),
    "LSTM": (lambda **o: LSTM(90, 40, rng=rng(), **o), {"weight_ih": 90**-0.5, "weight_hh": 40**-0.5}),
    "LayerNorm": (lambda **o: LayerNorm(30, **o), {}), "RMSNorm": (lambda **o: RMSNorm(30, **o), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_matrices_are_normal_with_the_deviation_of_the_docstring(name):
    make, deviations = DEFAULTS[name]
    parameters = dict(make().named_parameters())
    assert {n for n, p in parameters.items() if p.ndim == 2} == set(deviations)
    for path, deviation in deviations.items():
        drawn = parameters[path].data
        assert drawn.std() == pytest.approx(deviation, rel=0.08), path
        assert abs(drawn.mean()) < 4 * deviation / np.sqrt(drawn.size)
        assert (drawn**4).mean() == pytest.approx(3 * deviation**4, rel=0.4), f"{path} is not normal"


@pytest.mark.parametrize("name", ["Linear", "PatchEmbedding", "MLP", "SwiGLU", "Attention", "Embedding"])
@pytest.mark.parametrize("std", [0.3, 0.0])
def test_a_deviation_that_is_asked_for_holds_and_zero_is_one(name, std):
    make, deviations = DEFAULTS[name]
    options = {"std": std, "out_std": 2 * std} if name in ("MLP", "SwiGLU", "Attention") else {"std": std}
    parameters = dict(make(**options).named_parameters())
    for path in deviations:
        wanted = 2 * std if "out_std" in options and path in ("down_proj.weight", "o_proj.weight") else std
        assert parameters[path].data.std() == pytest.approx(wanted, rel=0.08, abs=1e-12), path


@pytest.mark.parametrize("name", DEFAULTS)
def test_biases_begin_at_zero_and_norms_at_one(name):
    for path, p in DEFAULTS[name][0]().named_parameters():
        if p.ndim == 1:
            gates = np.repeat([0.0, 1.0, 0.0, 0.0], 40) if (name, path) == ("LSTM", "bias_ih") else 0.0
            np.testing.assert_array_equal(p.data, np.broadcast_to(1.0 if path == "weight" else gates, p.shape), path)


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_layer_begins_alike_in_every_precision(name):
    (make, _), narrow, wide = DEFAULTS[name], np.float32, np.float64
    for (path, a), (_, b) in zip(make(dtype=narrow).named_parameters(), make(dtype=wide).named_parameters()):
        assert (a.dtype, b.dtype) == (narrow, wide), path
        np.testing.assert_array_equal(a.data, b.data.astype(narrow), path)
    assert {p.dtype for p in make().parameters()} == {np.dtype(np.float32)}


def test_gain_and_forget_bias_are_what_is_asked_for():
    halved, whole = (RNN(9, 40, rng=rng(), gain=gain) for gain in (0.5, 1.0))
    np.testing.assert_allclose(halved.weight_hh.data, whole.weight_hh.data / 2, rtol=1e-6)
    np.testing.assert_array_equal(halved.weight_ih.data, whole.weight_ih.data)
    layer = LSTM(9, 5, rng=rng(), forget_bias=0.25)
    np.testing.assert_array_equal(layer.bias_ih.data, np.repeat([0.0, 0.25, 0.0, 0.0], 5))
    assert not layer.bias_hh.data.any()
