"""Claims about the attention layer: to its own positions, to its past, to another text."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import WHOLE_MODEL

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import KeyedStream, adjacent
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError
from tinygrad_llm.nn import Attention, Linear, Module, replace
from tinygrad_llm.optim import SGD

F8 = np.float64
NAMES = ("q_proj", "k_proj", "v_proj", "o_proj")


def strong(width=8, heads=2, seed=0, **options):
    """A layer whose biases are not zero either: the defaults are a weak test."""
    layer = Attention(width, heads, rng=np.random.default_rng(seed), std=0.5, out_std=0.5, dtype=F8, **options)
    for name, p in layer.named_parameters():
        if name.endswith("bias"):
            p.assign(np.random.default_rng([seed, len(name)]).uniform(0.5, 1.5, p.shape))
    return layer


def texts(seed=1, batch=3, time=4, source=6, width=8):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(batch, time, width)), rng.normal(size=(batch, source, width))


LENGTHS = np.array([6, 3, 1])
MASK = np.arange(6) < LENGTHS[:, None]


def by_hand(layer, x, source, mask=None, causal=False):
    """Vaswani et al., 2017, section 3.2, head after head; the answer and the shares."""
    state = layer.state_dict()
    q, k, v = (s @ state[f"{n}.weight"].T + state.get(f"{n}.bias", 0) for n, s in zip(NAMES, (x, source, source)))
    size = layer.head_size
    out, shares = np.zeros(x.shape), []
    for head in range(layer.n_head):
        part = slice(head * size, (head + 1) * size)
        scores = q[..., part] @ k[..., part].swapaxes(1, 2) / np.sqrt(size)
        if mask is not None:
            scores = np.where(mask[:, None, :], scores, -np.inf)
        if causal:
            scores = np.where(np.tril(np.ones(scores.shape[1:], bool)), scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        shares.append(weights)
        out[..., part] = weights @ v[..., part]
    return out @ state["o_proj.weight"].T + state.get("o_proj.bias", 0), np.stack(shares, 1)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("kind", "padding"),
    [("its past", "none"), ("its past", "mask"), *product(["itself", "another text"], ["none", "mask", "lengths"])],
)
def test_it_is_the_papers_formula(kind, padding, bias):
    layer = strong(bias=bias, causal=kind == "its past")
    assert [n for n, _ in layer.named_parameters() if "bias" in n] == [f"{n}.bias" for n in NAMES if bias]
    x, source = texts()
    x = source[:, :, ::-1].copy() if kind == "its past" else x if kind == "another text" else source
    given_source = source if kind == "another text" else x
    expected, shares = by_hand(layer, x, given_source, None if padding == "none" else MASK, kind == "its past")
    args = (Tensor(x), Tensor(source) if kind == "another text" else None)
    options = {"none": {}, "mask": {"mask": MASK}, "lengths": {"lengths": LENGTHS}}[padding]
    np.testing.assert_allclose(layer(*args, **options).data, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(layer.weights(*args, **options).data, shares, rtol=1e-10, atol=1e-12)


def test_the_future_is_seen_unless_causal_is_said():
    (layer, causal), (_, x) = (strong(causal=choice) for choice in (False, True)), texts()
    later = np.triu(np.ones((6, 6), bool), 1)
    assert layer.weights(Tensor(x)).data[..., later].min() > 0
    assert not causal.weights(Tensor(x)).data[..., later].any()
    np.testing.assert_array_equal(layer(Tensor(x)).data, strong()(Tensor(x)).data)


def test_gradients_reach_both_texts_and_every_parameter():
    layer, (x, source) = strong(4, 2), texts(batch=2, time=2, source=3, width=4)
    parameters = layer.parameters()

    def run(x, source, *values):
        for p, value in zip(parameters, values):
            p.assign(value.data)
        state = dict(zip((n for n, _ in layer.named_parameters()), values))
        q, k, v = (
            ops.linear(s, state[f"{n}.weight"], state[f"{n}.bias"]).reshape(2, -1, 2, 2).transpose(0, 2, 1, 3)
            for n, s in zip(NAMES, (x, source, source))
        )
        y = ops.composed.attention(q, k, v, mask=MASK[:2, None, None, :3]).transpose(0, 2, 1, 3).reshape(2, 2, 4)
        return ops.linear(y, state["o_proj.weight"], state["o_proj.bias"])

    inputs = [Tensor(a, requires_grad=True) for a in (x, source)]
    g = np.random.default_rng(5).normal(size=x.shape)
    (layer(*inputs, mask=MASK[:2, :3]) * Tensor(g)).sum().backward()
    copies = [Tensor(a.data.copy(), requires_grad=True) for a in (*inputs, *parameters)]
    (run(*copies) * Tensor(g)).sum().backward()
    for found, expected in zip((*inputs, *parameters), copies):
        np.testing.assert_allclose(found.grad, expected.grad, rtol=1e-10, atol=1e-12)


@given(lengths=st.lists(st.integers(1, 6), min_size=3, max_size=3), seed=st.integers(0, 99))
def test_what_stands_in_the_padding_changes_nothing(lengths, seed):
    layer, (x, source) = strong(), texts(seed)
    mask = np.arange(6) < np.array(lengths)[:, None]
    other = np.where(mask[..., None], source, source + 7.0)
    for padding in ({"mask": mask}, {"lengths": np.array(lengths)}):
        before, after = (layer(Tensor(x), Tensor(s), **padding).data for s in (source, other))
        np.testing.assert_allclose(before, after, rtol=1e-12, atol=1e-12)
        for row, length in enumerate(lengths):
            alone = layer(Tensor(x[row : row + 1]), Tensor(source[row : row + 1, :length])).data
            np.testing.assert_allclose(before[row : row + 1], alone, rtol=1e-10, atol=1e-12)


def test_a_text_of_nothing_but_padding_answers_zero():
    layer, (x, source) = strong(), texts()
    mask = MASK.copy()
    mask[1] = False
    for padding in ({"mask": mask}, {"lengths": np.array([6, 0, 1])}):
        answer = layer(Tensor(x), Tensor(source), **padding).data[1]
        np.testing.assert_allclose(answer, np.broadcast_to(layer.o_proj.bias.data, answer.shape), rtol=1e-12)
        assert not layer.weights(Tensor(x), Tensor(source), **padding).data[1].any()


def test_dropout_is_active_exactly_when_an_rng_is_given():
    layer, (x, source) = strong(dropout=0.5), texts()
    args = (Tensor(x), Tensor(source))
    still = layer(*args, mask=MASK).data
    np.testing.assert_array_equal(still, layer(*args, mask=MASK).data)
    moved = layer(*args, mask=MASK, rng=np.random.default_rng(0)).data
    assert np.abs(moved - still).max() > 0.1 and (moved == 0).any()
    np.testing.assert_array_equal(moved, layer(*args, mask=MASK, rng=np.random.default_rng(0)).data)
    halves = [
        layer(Tensor(x[part]), Tensor(source[part]), mask=MASK[part], rng=KeyedStream(1, 1, part.start)).data
        for part in (slice(0, 1), slice(1, 3))
    ]
    whole = layer(*args, mask=MASK, rng=KeyedStream(1, 1)).data
    np.testing.assert_allclose(np.concatenate(halves), whole, rtol=1e-12)


def test_dropout_falls_on_the_weights_too():
    layer = strong(dropout=0.5)
    layer.o_proj.weight.assign(np.eye(8))
    layer.o_proj.bias.assign(np.zeros(8))
    layer.v_proj.weight.assign(np.zeros((8, 8)))
    layer.v_proj.bias.assign(np.ones(8))
    x, source = texts(time=50)
    answers = layer(Tensor(x), Tensor(source), rng=np.random.default_rng(0)).data
    kept = answers[answers != 0]
    # with whole weights every answer would be 1, and after the second dropout 2
    assert kept.std() > 0.1 and kept.mean() == pytest.approx(2.0, rel=0.1)


def test_first_weights_have_the_deviation_asked_for():
    layer = Attention(64, 2, rng=np.random.default_rng(0), std=0.1, out_std=0.1)
    for name in NAMES:
        linear = getattr(layer, name)
        assert linear.weight.data.std() == pytest.approx(0.1, rel=0.05) and not linear.bias.data.any()
        assert (linear.weight.dtype, linear.bias.dtype) == (np.float32, np.float32)
    plain = Attention(64, 2, rng=np.random.default_rng(0))
    assert plain.q_proj.weight.data.std() == pytest.approx(1 / 8, rel=0.05)


@pytest.mark.parametrize("sizes", [(0, 1), (8, 0), (8, 3), (8, 2.0)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ArgumentError):
        Attention(*sizes, rng=np.random.default_rng(0))
    with pytest.raises(ArgumentError):
        Attention(8, 2, dropout=1.0, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("mask", "error", "words"),
    [
        (MASK.astype(F8), DtypeError, "tokens != pad"),
        (MASK.astype(int), DtypeError, "booleans"),
        (MASK[:, :4], ShapeError, "It is of the keys, not the queries"),
        (MASK[:2], ShapeError, "mask"),
        (MASK[0], ShapeError, "mask"),
        (MASK[:, None, :], ShapeError, "mask"),
    ],
)
def test_a_mask_that_is_none_is_refused(mask, error, words):
    x, source = texts()
    with pytest.raises(error, match=words):
        strong()(Tensor(x), Tensor(source), mask=mask)


class Wrapped(Module):
    """A layer that is no Linear, as adaptation puts it in the place of one."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, x):
        return self.inner(x)


OPTIONS = [
    {}, {"causal": True}, {"n_kv_head": 2}, {"value_size": 3}, {"head_size": 6, "n_kv_head": 1}, {"rope_base": 50.0, "causal": True},
    {"causal": True, "window": 2}, {"softcap": 0.7}, {"bias": False}, {"bias": False, "out_bias": True, "causal": True},
]  # fmt: skip


def answers(layer, x, **options):
    """Value, and the gradients of x and of every parameter by name."""
    for p in layer.parameters():
        p.grad = None
    leaf = Tensor(x, requires_grad=True)
    out = layer(leaf, **options)
    out.backward(np.random.default_rng(3).normal(size=out.shape))
    return {"out": out.data, "x": leaf.grad} | {n.replace("inner.", ""): p.grad for n, p in layer.named_parameters()}


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("part", ["q_proj", "k_proj", "v_proj"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_projection_that_was_replaced_is_called(options, part):
    layer, (_, x) = strong(8, 4, **options), texts()
    projection = getattr(layer, part)
    twin = replace(layer, Linear, lambda path, inner: Wrapped(inner) if inner is projection else inner)
    assert type(getattr(twin, part)) is Wrapped
    same(answers(twin, x), answers(layer, x))
    if not options.get("causal"):
        same(answers(twin, x, lengths=LENGTHS), answers(layer, x, lengths=LENGTHS))
        same(answers(twin, x, mask=MASK), answers(layer, x, lengths=LENGTHS))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_where_the_weights_lie_changes_nothing(options):
    """In an optimizer's memory, where the projections are neighbours, into its sink and beside it."""
    layer, (_, x) = strong(8, 4, **options), texts()
    apart = answers(layer, x)
    optimizer = SGD(layer.named_parameters(), lr=0.1)
    weights = [layer.q_proj.weight.data, layer.k_proj.weight.data, layer.v_proj.weight.data]
    assert adjacent(weights) is not None
    same(answers(layer, x), apart)
    sink = optimizer.flat.new_sink()
    out = layer(Tensor(x))
    out.backward(np.random.default_rng(3).normal(size=out.shape), into=sink)
    sink.finish()
    places = {name: sink.place(p).array for name, p in layer.named_parameters()}
    same(places, {name: array for name, array in apart.items() if name in places})


@pytest.mark.parametrize("part", ["q_proj", "k_proj", "v_proj"])
def test_a_frozen_projection_gets_no_gradient_and_the_others_theirs(part):
    layer, (_, x) = strong(causal=True), texts()
    expected = answers(layer, x)
    getattr(layer, part).weight.requires_grad = False
    SGD(layer.named_parameters(), lr=0.1)
    found = answers(layer, x)
    assert found.pop(f"{part}.weight") is None
    same(found, {name: array for name, array in expected.items() if name != f"{part}.weight"})


def test_causal_queries_stand_at_the_end_of_their_text():
    """lengths with causal are what a cache needs; a text that is padded at its right needs none."""
    layer, (_, x) = strong(causal=True), texts()
    for row, length in enumerate(LENGTHS):
        alone = layer(Tensor(x[row : row + 1, :length])).data[0]
        np.testing.assert_allclose(layer(Tensor(x)).data[row, :length], alone, rtol=1e-10, atol=1e-12)


def test_the_past_is_a_window_and_positions_are_told():
    layer, (_, x) = strong(causal=True, window=2, rope_base=20.0), texts()
    far = x.copy()
    far[:, 0] += 5
    before, after = (layer(Tensor(a)).data for a in (x, far))
    np.testing.assert_allclose(before[:, 2:], after[:, 2:], rtol=1e-12, atol=1e-12)
    assert np.abs(before[:, :2] - after[:, :2]).max() > 1e-3
    shifted = layer(Tensor(x), positions=np.arange(6) + 9).data  # RoPE tells distances alone
    np.testing.assert_allclose(shifted, before, rtol=1e-10, atol=1e-10)
    rows = np.arange(6) * np.array([[1], [2], [3]])
    found = layer(Tensor(x), positions=rows).data
    for row in range(3):
        alone = layer(Tensor(x[row : row + 1]), positions=rows[row]).data[0]
        np.testing.assert_allclose(found[row], alone, rtol=1e-10, atol=1e-12)
    assert np.abs(found[1:] - before[1:]).max() > 1e-3


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(20))
def test_answers_weights_and_gradients_equal_those_of_pytorch(seed):
    import torch

    rng = np.random.default_rng(seed)
    heads = int(rng.integers(1, 5))
    width, time, source_length = heads * int(rng.integers(1, 9)), int(rng.integers(1, 9)), int(rng.integers(1, 9))
    own = seed % 3 == 0  # self-attention, causal
    layer = strong(width, heads, seed, causal=own)
    x, source = texts(seed, 3, time, source_length, width)
    mask = np.arange(time if own else source_length) < rng.integers(1, (time if own else source_length) + 1, (3, 1))
    theirs = torch.nn.MultiheadAttention(width, heads, batch_first=True, dtype=torch.float64)
    state = {n: torch.tensor(a) for n, a in layer.state_dict().items()}
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([state[f"{n}_proj.weight"] for n in "qkv"]))
        theirs.in_proj_bias.copy_(torch.cat([state[f"{n}_proj.bias"] for n in "qkv"]))
        theirs.out_proj.weight.copy_(state["o_proj.weight"])
        theirs.out_proj.bias.copy_(state["o_proj.bias"])
    a, b = (torch.tensor(t, requires_grad=True) for t in (x, source))
    other = a if own else b
    later = torch.triu(torch.ones(time, time, dtype=torch.bool), 1) if own else None
    answer, shares = theirs(
        a, other, other, key_padding_mask=torch.tensor(~mask), attn_mask=later, average_attn_weights=False
    )
    g = rng.normal(size=x.shape)
    (answer * torch.tensor(g)).sum().backward()
    mine, from_ = Tensor(x, requires_grad=True), Tensor(source, requires_grad=True)
    args = (mine, None if own else from_)
    found = layer(*args, mask=mask)
    (found * Tensor(g)).sum().backward()
    np.testing.assert_allclose(found.data, answer.detach().numpy(), **WHOLE_MODEL)
    np.testing.assert_allclose(layer.weights(*args, mask=mask).data, shares.detach().numpy(), **WHOLE_MODEL)
    np.testing.assert_allclose(mine.grad, a.grad.numpy(), **WHOLE_MODEL)
    if not own:
        np.testing.assert_allclose(from_.grad, b.grad.numpy(), **WHOLE_MODEL)
    packed = np.concatenate([getattr(layer, f"{n}_proj").weight.grad for n in "qkv"])
    np.testing.assert_allclose(packed, theirs.in_proj_weight.grad.numpy(), **WHOLE_MODEL)
    np.testing.assert_allclose(layer.o_proj.weight.grad, theirs.out_proj.weight.grad.numpy(), **WHOLE_MODEL)
