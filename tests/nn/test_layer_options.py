"""Every option of the smaller layers reaches what they compute."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.nn import ACTIVATIONS, GRU, LSTM, MLP, RNN, Embedding, LayerNorm, Linear, RMSNorm, SwiGLU, alibi_bias

RNG = np.random.default_rng(5)
X = RNG.normal(size=(2, 3, 4))


def rng():
    return np.random.default_rng(0)


PHI = np.vectorize(lambda v: (1 + math.erf(v / math.sqrt(2))) / 2)
BY_HAND = {
    "gelu": lambda x: x * PHI(x), "gelu_new": lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "quick_gelu": lambda x: x / (1 + np.exp(-1.702 * x)), "relu": lambda x: np.maximum(x, 0), "silu": lambda x: x / (1 + np.exp(-x)),
}  # fmt: skip


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("hidden", [None, 7])
@pytest.mark.parametrize("activation", [None, *BY_HAND])
def test_an_mlp_is_its_formula(activation, hidden, bias):
    assert set(ACTIVATIONS) == set(BY_HAND)
    options = {} if activation is None else {"activation": activation}
    layer = MLP(4, hidden, bias, rng=rng(), std=1.5, dtype=np.float64, **options)
    for p in layer.parameters():
        p.assign(RNG.normal(size=p.shape))
    state = layer.state_dict()
    assert state["up_proj.weight"].shape == (hidden or 16, 4) and ("up_proj.bias" in state) is bias
    inside = BY_HAND[activation or "gelu_new"](X @ state["up_proj.weight"].T + state.get("up_proj.bias", 0))
    expected = inside @ state["down_proj.weight"].T + state.get("down_proj.bias", 0)
    np.testing.assert_allclose(layer(Tensor(X)).data, expected, rtol=1e-10, atol=1e-12)


class OwnBias(Linear):
    """A layer that takes the place of a plain one, and counts how often it is asked."""

    calls = 0

    def __call__(self, x):
        self.calls += 1
        return super().__call__(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "silu"])
def test_whether_gelu_adds_the_bias_or_the_layer_does_not_a_bit_is_different(activation, dtype):
    """Of a plain layer GELU adds it; what stands in the place of one is called."""
    found, own = [], OwnBias(12, 48, rng=rng(), dtype=dtype)
    x, g = (np.random.default_rng(seed).normal(size=(3, 7, 12)).astype(dtype) for seed in (1, 2))
    for up in (Linear(12, 48, rng=rng(), dtype=dtype), own):
        layer = MLP(12, rng=rng(), activation=activation, hidden_dropout=0.25, dtype=dtype)
        layer.up_proj, draw = up, np.random.default_rng(3)
        for p in layer.parameters():
            p.assign(draw.normal(size=p.shape))
        given = Tensor(x, requires_grad=True)
        y = layer(given, np.random.default_rng(4))
        y.backward(g)
        found.append([y.data, given.grad, *(p.grad for p in layer.parameters())])
    assert own.calls == 1 and len(found[0]) == 6
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bias", [False, True])
def test_swiglu_gates_what_goes_up_by_what_stands_beside_it(bias):
    layer = SwiGLU(4, 6, rng=rng(), bias=bias, std=1.5, dtype=np.float64)
    for p in layer.parameters():
        p.assign(RNG.normal(size=p.shape))
    state = layer.state_dict()
    assert len(state) == 3 + 3 * bias

    def through(x, name):
        return x @ state[f"{name}.weight"].T + state.get(f"{name}.bias", 0)

    expected = through(BY_HAND["silu"](through(X, "gate_proj")) * through(X, "up_proj"), "down_proj")
    np.testing.assert_allclose(layer(Tensor(X)).data, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("eps", [1e-12, 1e-3, 2.0])
def test_eps_stands_beside_the_square_under_the_root(eps):
    x = 0.01 * X
    norm, rms = LayerNorm(4, eps=eps, dtype=np.float64), RMSNorm(4, eps=eps, dtype=np.float64)
    for p in (*norm.parameters(), *rms.parameters()):
        p.assign(RNG.normal(size=4))
    w, b, v = norm.weight.data, norm.bias.data, rms.weight.data
    expected = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps) * w + b
    np.testing.assert_allclose(norm(Tensor(x)).data, expected, rtol=1e-9, atol=1e-12)
    expected = x / np.sqrt((x**2).mean(-1, keepdims=True) + eps) * v
    np.testing.assert_allclose(rms(Tensor(x)).data, expected, rtol=1e-9, atol=1e-12)


def test_an_embedding_has_as_many_rows_as_tokens():
    table = Embedding(5, 3, rng=rng())
    assert table.weight.shape == (5, 3) and table(np.array([[4, 0]])).shape == (1, 2, 3)


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_a_state_that_is_handed_in_is_where_the_layer_begins(kind):
    layer = kind(4, 5, rng=rng(), dtype=np.float64)
    whole, last = layer(Tensor(X))
    first, state = layer(Tensor(X[:, :1]))
    rest, end = layer(Tensor(X[:, 1:]), state)
    np.testing.assert_allclose(np.concatenate([first.data, rest.data], 1), whole.data, rtol=1e-12)
    parts = zip(last, end) if kind is LSTM else [(last, end)]
    for a, b in parts:
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12)
        assert a.shape == (2, 5)
    h = last[0] if kind is LSTM else last
    np.testing.assert_array_equal(h.data, whole.data[:, -1])
    if kind is LSTM:
        assert np.abs(last[1].data).max() > np.abs(last[0].data).max()  # h = o tanh(c), which is smaller


@pytest.mark.parametrize("n_head", [1, 3, 4, 6, 12])
def test_alibis_slopes_are_the_papers_and_its_codes(n_head):
    def powers(count):
        return [2 ** (-8 / count * (i + 1)) for i in range(count)]

    closest = 2 ** math.floor(math.log2(n_head))
    slopes = powers(closest) + powers(2 * closest)[0::2][: n_head - closest]
    bias = alibi_bias(n_head, 3, 5)
    for h, slope in enumerate(slopes):
        for t in range(3):
            np.testing.assert_allclose(bias[h, t], [-slope * abs(t + 2 - s) for s in range(5)], rtol=1e-12, atol=0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_a_recurrent_layer_uses_each_of_its_weights_and_biases(kind):
    layer = kind(4, 5, rng=rng(), dtype=np.float64)
    for p in layer.parameters():
        p.assign(RNG.normal(size=p.shape))
    w, u, b, d = (p.data for p in (layer.weight_ih, layer.weight_hh, layer.bias_ih, layer.bias_hh))
    h, c, states = np.zeros((2, 5)), np.zeros((2, 5)), []
    for t in range(3):
        x, y = X[:, t] @ w.T + b, h @ u.T + d
        if kind is RNN:
            h = np.tanh(x + y)
        elif kind is GRU:
            (r, z, n), (s, q, m) = np.split(x, 3, axis=1), np.split(y, 3, axis=1)
            z = sigmoid(z + q)
            h = (1 - z) * np.tanh(n + sigmoid(r + s) * m) + z * h
        else:
            i, f, g, o = np.split(x + y, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        states.append(h)
    out, _ = layer(Tensor(X))
    np.testing.assert_allclose(out.data, np.stack(states, 1), rtol=1e-10, atol=1e-12)
    out.sum().backward()
    assert all(np.abs(p.grad).max() > 0 for p in layer.parameters())
