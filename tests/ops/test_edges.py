"""Values and gradients where an operation changes its mind: at a bound, at zero, with nothing to do, with defaults."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, gradcheck
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError, TokenError

RNG = np.random.default_rng(5)


def gradient(f, x, g=None):
    t = Tensor(x, requires_grad=True)
    y = f(t)
    y.backward(np.ones(y.shape) if g is None else g)
    return t.grad


def test_clip_passes_the_gradient_at_its_bounds_too():
    x = np.array([-3.0, -1.0, 0.0, 2.0, 5.0])
    assert gradient(lambda t: ops.clip(t, low=-1, high=2), x).tolist() == [0, 1, 1, 1, 0]
    assert gradient(lambda t: ops.clip(t, high=2), x).tolist() == [1, 1, 1, 1, 0]
    assert gradient(lambda t: ops.clip(t, low=-1), x).tolist() == [0, 1, 1, 1, 1]


def test_a_cast_hands_the_gradient_back_in_the_dtype_it_came_from():
    x = RNG.normal(size=3)
    g = np.array([1.0, -2.0, 3.0], np.float32)
    d = gradient(lambda t: ops.astype(t, dtype=np.float32), x, g)
    assert d.dtype == np.float64 and d.tolist() == [1, -2, 3]
    assert not ops.astype(Tensor(x, True), dtype=np.int64).requires_grad


def test_dropout_multiplies_what_it_is_given_and_the_gradient_alike():
    x, g = RNG.normal(size=(4, 50)), RNG.normal(size=(4, 50))
    t = Tensor(x, requires_grad=True)
    y = ops.dropout(t, p=0.4, rng=np.random.default_rng(1))
    y.backward(g)
    kept = y.data != 0
    assert 0.4 < kept.mean() < 0.8
    np.testing.assert_allclose(y.data, np.where(kept, x / 0.6, 0), rtol=1e-6)
    np.testing.assert_allclose(t.grad, np.where(kept, g / 0.6, 0), rtol=1e-6)


def test_without_a_probability_nothing_is_drawn():
    rng, q = np.random.default_rng(1), RNG.normal(size=(1, 2, 3, 4))
    before = rng.bit_generator.state
    ops.dropout(q, p=0.0, rng=rng)
    ops.attention(q, q, q, p=0.0, rng=rng)
    assert rng.bit_generator.state == before


def test_dropout_of_attention_weights_needs_a_generator():
    q = RNG.normal(size=(1, 2, 3, 6))
    with pytest.raises(ArgumentError, match="rng"):
        ops.attention(q, q, q, p=0.5)
    with pytest.raises(ArgumentError, match="rng"):
        ops.packed_attention(q[:, 0], p=0.5)


def test_one_head_is_what_packed_attention_takes_for_granted():
    qkv = RNG.normal(size=(2, 5, 12))
    q, k, v = (part[:, None] for part in np.split(qkv, 3, axis=-1))
    np.testing.assert_allclose(
        ops.packed_attention(qkv).data, ops.attention(q, k, v, causal=True).data[:, 0], rtol=1e-12
    )


def test_without_queries_keys_and_values_have_a_gradient_of_zero():
    k = Tensor(RNG.normal(size=(1, 2, 3, 4)), requires_grad=True)
    v = Tensor(RNG.normal(size=(1, 2, 3, 4)), requires_grad=True)
    out = ops.attention(np.zeros((1, 2, 0, 4)), k, v)
    out.backward(np.zeros(out.shape))
    assert not k.grad.any() and not v.grad.any() and k.grad.shape == v.grad.shape == (1, 2, 3, 4)


@pytest.mark.parametrize(
    "shapes",
    [
        ((1, 2, 3, 4), (1, 2, 5, 4)),
        ((2, 2, 3, 4), (2, 2, 3, 4)),
        ((1, 2, 3, 6), (1, 2, 3, 6)),
        ((1, 3, 3, 4), (1, 3, 3, 4)),
        ((1, 0, 3, 4), (1, 0, 3, 4)),
    ],
)
def test_each_misfit_of_keys_and_values_is_refused_by_name(shapes):
    with pytest.raises(ShapeError, match="k and v"):
        ops.attention(np.ones((1, 2, 3, 4)), np.ones(shapes[0]), np.ones(shapes[1]))


def test_the_token_that_is_outside_the_table_is_named():
    for ids, named in (([1, 0, -1], "got -1"), ([0, 1, 2, 1], "got 2"), ([[1, 5], [0, 7]], "got 5")):
        with pytest.raises(TokenError, match=named):
            ops.embedding(np.ones((2, 3)), np.array(ids))


def test_triangles_need_two_axes():
    for op in (ops.tril, ops.triu):
        with pytest.raises(ShapeError, match="two axes"):
            op(np.ones(3))


def test_an_empty_part_is_a_part():
    parts = ops.split(np.arange(3.0), [0, 3, 0], axis=0)
    assert [p.shape for p in parts] == [(0,), (3,), (0,)]


def test_the_divergence_is_a_sum_or_a_mean_and_what_cannot_happen_costs_nothing():
    p, q = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]]), np.array([[0.25, 0.25, 0.5], [0.2, 0.3, 0.5]])
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    assert ops.kl_divergence(log_p, np.log(q), reduction="sum").item() == pytest.approx(math.log(2))
    assert ops.kl_divergence(log_p, np.log(q)).item() == pytest.approx(math.log(2) / 2)
    np.testing.assert_allclose(gradient(lambda t: ops.kl_divergence(log_p, t, reduction="sum"), np.log(q)), -p)


def test_binary_cross_entropy_follows_differences_between_the_whole_numbers():
    assert gradcheck(ops.binary_cross_entropy, [RNG.uniform(-2, 2, (3, 4)), RNG.uniform(0, 1, (3, 4))])


def test_where_keeps_the_dtype_of_its_arrays():
    x = np.ones(3, np.float32)
    condition = np.array([True, False, True])
    for y in (ops.where(condition, x, 0.0), ops.where(condition, 2, x)):
        assert y.dtype == np.float32


@pytest.mark.parametrize(("a", "b", "dtype"), [
    (1.0, 0.0, "float32"), (1, 0.0, "float32"), (1.0, 0, "float32"), (True, 0.5, "float32"), (np.float64(1), np.float64(0), "float32"),
    (float("inf"), 0.0, "float32"), (1, 0, "int64"), (True, False, "bool"), (Tensor([1, 2]), 0.5, "float32"), (0.5, np.ones(2), "float64")])  # fmt: skip
def test_where_chooses_between_two_numbers_too(a, b, dtype):
    y = ops.where(Tensor([True, False]), a, b)
    assert y.dtype == dtype and y.shape == (2,) and not y.requires_grad
    first, second = (float(x.data[i]) if isinstance(x, Tensor) else float(np.ravel(x)[0]) for i, x in enumerate((a, b)))
    assert y.numpy().tolist() == [first, second]


def test_a_power_of_zero_has_the_slope_in_the_exponent_that_pytorch_gives_it():
    a, b = Tensor(np.zeros(5)), Tensor(np.array([-2.0, -1.0, 0.0, 0.5, 2.0]), requires_grad=True)
    with np.errstate(divide="ignore"):
        (a**b).backward(np.ones(5))
    assert b.grad.tolist() == [
        -math.inf,
        -math.inf,
        0.0,
        0.0,
        0.0,
    ]  # torch.pow: the limit of a^b ln a where a^b is infinite


def test_comparing_mixed_precisions_is_refused():
    for op in (ops.less, ops.equal, ops.greater_equal):
        with pytest.raises(DtypeError):
            op(np.ones(3), np.ones(3, np.float32))


def test_sizes_may_be_numpy_integers():
    assert Tensor(np.arange(6.0)).reshape(np.int64(2), 3).shape == (2, 3)


@pytest.mark.oracle
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
def test_label_smoothing_up_to_all_of_it_is_pytorchs(smoothing):
    import torch

    x, y = RNG.normal(size=(4, 5)), np.array([0, 3, -100, 4])
    mine, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    loss = ops.cross_entropy(mine, y, label_smoothing=smoothing)
    other = torch.nn.functional.cross_entropy(theirs, torch.tensor(y), label_smoothing=smoothing)
    loss.backward()
    other.backward()
    assert loss.item() == pytest.approx(other.item(), rel=1e-12)
    np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_a_float_as_an_option_makes_floats_of_integers_and_never_float64():
    i, x = Tensor([1, 2, 3]), Tensor([1.0, 2.0, 3.0])
    mask = np.array([True, False, False])
    for half in (1.5, np.float64(1.5), np.float32(1.5)):
        for t in (i, x):
            assert t.clip(low=half).data.tolist() == [1.5, 2, 3] and t.clip(low=half).dtype == np.float32
            assert (
                t.masked_fill(mask, half).data.tolist() == [1.5, 2, 3] and t.masked_fill(mask, half).dtype == np.float32
            )
        assert ops.pad(i, widths=((1, 0),), value=1.5).data.tolist() == [1.5, 1, 2, 3]
    assert (
        i.clip(low=2).dtype == i.masked_fill(mask, 7).dtype == ops.pad(i, widths=((0, 1),), value=0).dtype == np.int64
    )
    assert ops.pad(i, widths=((1, 0),)).dtype == np.int64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [3, 7, 10, 49])
def test_the_layer_norm_of_a_constant_row_is_0_to_the_last_bit(width, dtype):
    """1/width is rounded, and so is the mean: what is left of the row must not be mistaken for its deviations."""
    x = np.repeat(np.random.default_rng(width).normal(size=(300, 1)), width, axis=1).astype(dtype)
    assert not ops.layer_norm(x).data.any()


def test_a_part_may_have_no_entries():
    parts = ops.split(np.arange(6.0).reshape(2, 3), [0, 3, 0])
    assert [part.shape for part in parts] == [(2, 0), (2, 3), (2, 0)]
    with pytest.raises(ShapeError, match="split"):
        ops.split(np.zeros((2, 3)), [-1, 4])


def test_rotations_of_each_example_are_its_own():
    x, angles = np.random.default_rng(0).normal(size=(2, 1, 3, 4)), np.random.default_rng(1).normal(size=(2, 1, 3, 2))
    y = ops.rope(x, np.cos(angles), np.sin(angles)).data
    turned = (x[..., :2] + 1j * x[..., 2:]) * np.exp(1j * angles)  # pair by pair a complex number
    np.testing.assert_allclose(y, np.concatenate([turned.real, turned.imag], -1), rtol=1e-12)


@pytest.mark.parametrize("far", [30.0, 3000.0, -3000.0])
def test_the_layer_norm_of_a_row_far_from_0_keeps_its_digits(far):
    """Of deviations of size 1 beside a mean of 3,000, float32 holds three digits less; no more may be lost."""
    x = (far + np.random.default_rng(0).normal(size=(20, 64))).astype(np.float32)
    exact = ops.layer_norm(x.astype(np.float64)).data
    np.testing.assert_allclose(ops.layer_norm(x).data, exact, rtol=1e-5, atol=2e-6)


def test_heads_of_an_odd_size_cannot_be_rotated():
    with pytest.raises(ShapeError, match="rope"):
        ops.rope(np.ones((1, 1, 2, 3)), cos=np.ones((2, 1)), sin=np.ones((2, 1)))
