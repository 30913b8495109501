"""Every option of the attention layer, on every way through it, against its definition in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.nn import Attention, KVCache

B, T, S, D, SOURCE_WIDTH = 3, 5, 6, 16, 7  # heads of four: one of two turns at one speed, whatever the base
RNG = np.random.default_rng(3)
X, SOURCE = RNG.normal(size=(B, T, D)), RNG.normal(size=(B, S, SOURCE_WIDTH))
EXACT = {"rtol": 1e-10, "atol": 1e-12}


def layer_with(n_head=4, n_kv_head=None, **options):
    layer = Attention(
        D, n_head, n_kv_head, rng=np.random.default_rng(0), dtype=np.float64, std=0.6, out_std=0.5, **options
    )
    for p in layer.parameters():
        if p.ndim == 1:
            p.assign(RNG.uniform(0.5, 1.5, p.shape))
    return layer


def turned(x, positions, base):
    """Pairs of coordinates as complex numbers, which a turn multiplies.  (B, n, T, K)"""
    half = x.shape[-1] // 2
    angles = np.asarray(positions)[..., None] * float(base) ** (-2.0 * np.arange(half) / (2 * half))
    angles = angles[:, None] if angles.ndim == 3 else angles
    z = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * angles)
    return np.concatenate([z.real, z.imag], -1)


def by_definition(layer, x, source=None, mask=None, lengths=None, positions=None, before=0):
    """What the last T - before positions get, and their weights; with lengths alone no layer here is causal."""
    state, read = layer.state_dict(), x if source is None else source

    def heads(values, name, count):
        y = values @ state[f"{name}.weight"].T + state.get(f"{name}.bias", 0)
        return y.reshape(*y.shape[:2], count, -1).transpose(0, 2, 1, 3)

    q, k, v = (heads(*part) for part in ((x, "q_proj", layer.n_head), (read, "k_proj", layer.n_kv_head),
                                         (read, "v_proj", layer.n_kv_head)))  # fmt: skip
    if layer.rope_base is not None:
        q, k = (turned(t, np.arange(x.shape[1]) if positions is None else positions, layer.rope_base) for t in (q, k))
    shared = layer.n_head // layer.n_kv_head
    scores = np.stack([q[:, h] @ k[:, h // shared].swapaxes(1, 2) for h in range(layer.n_head)], 1)
    scores = scores / np.sqrt(layer.head_size)
    if layer.softcap is not None:
        scores = layer.softcap * np.tanh(scores / layer.softcap)
    seen = np.ones(scores.shape, bool)
    t, s = np.arange(x.shape[1])[:, None], np.arange(read.shape[1])
    if layer.causal and source is None:
        seen &= s <= t
        seen &= (s > t - layer.window) if layer.window is not None else True
    if lengths is not None:
        seen &= s < np.asarray(lengths)[:, None, None, None]
    if mask is not None and mask.dtype == bool:
        seen &= mask if mask.ndim == 4 else mask[:, None, None, :]
    elif mask is not None:
        scores = scores + mask
    weights = np.where(seen, np.exp(scores), 0)[:, :, before:]
    weights /= weights.sum(-1, keepdims=True)
    out = np.stack([weights[:, h] @ v[:, h // shared] for h in range(layer.n_head)], 2)
    y = out.reshape(B, x.shape[1] - before, -1) @ state["o_proj.weight"].T + state.get("o_proj.bias", 0)
    return y, weights


OPTIONS = {
    "plain": {}, "grouped": {"n_kv_head": 2}, "one key head": {"n_kv_head": 1}, "head size": {"head_size": 6},
    "value size": {"value_size": 3}, "softcap": {"softcap": 0.6}, "no bias": {"bias": False},
    "no output bias": {"out_bias": False}, "output bias alone": {"bias": False, "out_bias": True},
    "all": {"n_kv_head": 2, "head_size": 4, "value_size": 3, "softcap": 0.8, "out_bias": False},
}  # fmt: skip
PAST = {
    "causal": {"causal": True}, "window": {"causal": True, "window": 2}, "window of one": {"causal": True, "window": 1},
    "RoPE": {"rope_base": 7.0}, "RoPE's past": {"rope_base": 300.0, "causal": True, "n_kv_head": 2},
    "everything": {"rope_base": 5.0, "causal": True, "window": 3, "softcap": 0.9, "n_kv_head": 2, "value_size": 3},
}  # fmt: skip
SEEN = np.random.default_rng(8).random((B, 4, T, T)) < 0.7
SEEN[..., np.arange(T), np.arange(T)] = True
CALLS = {
    "nothing": {}, "keys": {"mask": np.arange(T) != np.array([[1], [3], [2]])}, "pairs": {"mask": SEEN},
    "numbers": {"mask": RNG.normal(size=(B, 1, T, T))}, "positions": {"positions": np.array([3, 1, 4, 1, 5])},
    "rows of positions": {"positions": RNG.integers(0, 50, (B, T))},
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", [*OPTIONS, *PAST])
def test_attention_to_itself_is_the_definition(name, call):
    layer, options = layer_with(**(OPTIONS | PAST)[name]), dict(CALLS[call])
    if call == "keys" and layer.causal:
        options["mask"] = np.arange(T) != np.array([[T - 1], [T - 2], [T - 1]])  # the first positions see themselves
        if layer.window == 1:
            return
    expected, weights = by_definition(layer, X, **options)
    np.testing.assert_allclose(layer(Tensor(X), **options).data, expected, **EXACT)
    np.testing.assert_allclose(layer.weights(Tensor(X), **options).data, weights, **EXACT)


@pytest.mark.parametrize("name", [*OPTIONS, "RoPE"])
def test_lengths_hide_what_is_padding(name):
    layer, lengths = layer_with(**(OPTIONS | PAST)[name]), np.array([5, 2, 1])
    expected, weights = by_definition(layer, X, lengths=lengths)
    np.testing.assert_allclose(layer(Tensor(X), lengths=lengths).data, expected, **EXACT)
    np.testing.assert_allclose(layer.weights(Tensor(X), lengths=lengths).data, weights, **EXACT)


@pytest.mark.parametrize("call", ["nothing", "lengths", "keys", "pairs", "numbers"])
@pytest.mark.parametrize("name", OPTIONS)
def test_attention_to_another_text_is_the_definition(name, call):
    layer = layer_with(source_width=SOURCE_WIDTH, **OPTIONS[name])
    pairs = np.random.default_rng(8).random((B, 4, T, S)) < 0.7
    pairs[..., 0] = True
    options = {
        "nothing": {}, "lengths": {"lengths": np.array([6, 3, 1])}, "pairs": {"mask": pairs},
        "keys": {"mask": np.arange(S) != np.array([[1], [3], [2]])}, "numbers": {"mask": RNG.normal(size=(B, 1, T, S))},
    }[call]  # fmt: skip
    expected, weights = by_definition(layer, X, SOURCE, **options)
    np.testing.assert_allclose(layer(Tensor(X), Tensor(SOURCE), **options).data, expected, **EXACT)
    np.testing.assert_allclose(layer.weights(Tensor(X), Tensor(SOURCE), **options).data, weights, **EXACT)


@pytest.mark.parametrize("name", ["window", "causal"])
def test_neither_past_nor_window_is_of_another_text(name):
    layer = layer_with(source_width=SOURCE_WIDTH, **PAST[name])
    np.testing.assert_allclose(layer(Tensor(X), Tensor(SOURCE)).data, by_definition(layer, X, SOURCE)[0], **EXACT)


@pytest.mark.parametrize("name", PAST)
def test_beside_a_cache_it_is_the_definition(name):
    layer = layer_with(**({"causal": True} | PAST[name]))
    cache = KVCache(1, B, capacity=1)
    with no_grad():
        for start, stop in ((0, 3), (3, 4), (4, 5)):
            found = layer(Tensor(X[:, start:stop]), cache=cache[0]).data
            np.testing.assert_allclose(found, by_definition(layer, X[:, :stop], before=start)[0], **EXACT)
            cache.advance(stop - start)


def test_a_bias_of_the_scores_can_be_learned():
    layer, bias = layer_with(softcap=0.7), RNG.normal(size=(1, 4, T, T))
    learned, g, h = Tensor(bias, requires_grad=True), RNG.normal(size=(B, T, D)), 1e-6
    layer(Tensor(X), mask=learned).backward(g)
    for place in ((0, 0, 0, 1), (0, 3, 4, 2)):
        step = np.zeros(bias.shape)
        step[place] = h
        above, below = (float((by_definition(layer, X, mask=bias + sign * step)[0] * g).sum()) for sign in (1, -1))
        assert learned.grad[place] == pytest.approx((above - below) / (2 * h), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("out_bias", [None, True, False])
def test_each_projection_has_the_bias_that_was_asked_for(bias, out_bias):
    names = {name for name, _ in layer_with(bias=bias, out_bias=out_bias).named_parameters() if name.endswith("bias")}
    inside = {"q_proj.bias", "k_proj.bias", "v_proj.bias"} if bias else set()
    assert names == inside | ({"o_proj.bias"} if (bias if out_bias is None else out_bias) else set())


@pytest.mark.parametrize("n_kv_head", [None, 1, 2])
@pytest.mark.parametrize(("head_size", "value_size"), [(None, None), (6, None), (None, 3), (6, 3)])
def test_heads_have_the_sizes_that_were_asked_for(head_size, value_size, n_kv_head):
    layer = layer_with(n_kv_head=n_kv_head, head_size=head_size, value_size=value_size, source_width=SOURCE_WIDTH)
    size, groups = head_size or D // 4, n_kv_head or 4
    width = value_size or size
    assert (layer.n_head, layer.n_kv_head, layer.head_size, layer.value_size) == (4, groups, size, width)
    shapes = [p.weight.shape for p in (layer.q_proj, layer.k_proj, layer.v_proj, layer.o_proj)]
    assert shapes == [(4 * size, D), (groups * size, SOURCE_WIDTH), (groups * width, SOURCE_WIDTH), (D, 4 * width)]
