"""Every operation, in both precisions: its value is what NumPy says, its gradient what differences say, its dtype exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from op_cases import CASES
from tolerances import SINGLE_OP

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, gradcheck
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ops.index import sum_rows_by_id

NAMES = [
    f"{case.name}{'-' + str(i) if [c.name for c in CASES].count(case.name) > 1 else ''}" for i, case in enumerate(CASES)
]
NOT_IN_TABLE = {
    "argmax", "argmin", "argsort", "bitwise_and", "bitwise_or", "bitwise_not", "floor_divide", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "dropout", "composed",
    "rope_table", "IGNORE",
}  # fmt: skip


def test_every_public_operation_is_in_the_table():
    assert {case.name for case in CASES} == set(ops.__all__) - NOT_IN_TABLE


@pytest.mark.parametrize("case", CASES, ids=NAMES)
@given(data=st.data())
def test_value_gradient_and_dtype(case, data):
    arrays, options = case.inputs(data.draw)
    options = options | case.options
    expected = np.asarray(case.expected(*arrays, **_for_numpy(case.name, options)))
    found = case.op(*arrays, **options)
    np.testing.assert_allclose(found.data, expected, **SINGLE_OP["float64"])
    assert found.shape == expected.shape and found.dtype == np.float64
    gradcheck(case.op, arrays, rtol=1e-4, atol=1e-5, **options)  # entries reach 3^3: h^2 times a third derivative
    if case.name == "astype":
        return
    narrow = [Tensor(a.astype(np.float32), requires_grad=True) if a.dtype == np.float64 else a for a in arrays]
    found = case.op(*narrow, **options)
    found.backward(np.ones(found.shape, np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.data, expected, rtol=1e-5, atol=1e-5)
    assert all(t.grad is None or t.grad.dtype == np.float32 for t in narrow if isinstance(t, Tensor))


def _for_numpy(name, options):
    return {"a": options["axis"], "b": 0} if name == "swapaxes" else options


@given(data=st.data())
def test_comparisons_are_numpys(data):
    shape = (data.draw(st.integers(1, 3)),)
    a, b = (
        np.array(data.draw(st.lists(st.integers(-1, 1), min_size=shape[0], max_size=shape[0])), float) for _ in "ab"
    )
    x, y = Tensor(a), Tensor(b)
    for mine, theirs in (
        (x < y, a < b),
        (x <= y, a <= b),
        (x > y, a > b),
        (x >= y, a >= b),
        (x == y, a == b),
        (x != y, a != b),
    ):
        assert mine.dtype == bool and not mine.requires_grad
        np.testing.assert_array_equal(mine.data, theirs)
    assert x.argmax().item() == a.argmax() and ops.argmin(x).item() == a.argmin()


def test_the_maximum_shares_its_gradient_over_all_axes_and_gives_it_to_the_first_along_one():
    x = Tensor(np.array([[2.0, 2.0, 1.0]]), requires_grad=True)
    ops.max(x).backward()
    np.testing.assert_array_equal(x.grad, [[0.5, 0.5, 0.0]])
    x.grad = None
    ops.max(x, axis=1).backward(np.ones(1))
    np.testing.assert_array_equal(x.grad, [[1.0, 0.0, 0.0]])
    x.grad = None
    ops.amax(x, axis=1).backward(np.ones(1))
    np.testing.assert_array_equal(x.grad, [[0.5, 0.5, 0.0]])


def test_equals_share_the_gradient_of_maximum_and_minimum():
    for op in (ops.maximum, ops.minimum):
        a, b = Tensor(np.array([1.0]), True), Tensor(np.array([1.0]), True)
        op(a, b).backward(np.ones(1))
        assert a.grad == b.grad == 0.5


def test_corners_have_the_slope_that_pytorch_gives_them():
    x = Tensor(np.array([0.0]), requires_grad=True)
    for op, slope in ((ops.relu, 0.0), (ops.absolute, 0.0), (lambda t: ops.clip(t, low=0.0), 1.0)):
        x.grad = None
        op(x).backward(np.ones(1))
        assert x.grad == slope


def test_zero_to_the_zeroth_power_is_constant():
    x = Tensor(np.array([0.0, 2.0]), requires_grad=True)
    (x**0.0).backward(np.ones(2))
    np.testing.assert_array_equal(x.grad, [0.0, 0.0])


def test_a_large_score_does_not_overflow():
    x = np.array([[1000.0, 0.0]])
    for op in (ops.softmax, ops.log_softmax, ops.logsumexp, ops.sigmoid):
        assert np.isfinite(op(x).data).all()
    assert np.isfinite(ops.cross_entropy(x, np.array([1])).item())
    assert np.isfinite(ops.binary_cross_entropy(x, np.ones_like(x)).item())


def test_logsumexp_of_minus_infinity_is_minus_infinity():
    x = np.array([[-np.inf, -np.inf], [-np.inf, 0.0]])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(ops.logsumexp(x).data, [-np.inf, 0.0])


def test_kl_is_zero_where_p_is_zero():
    p, q = np.array([[0.0, -np.inf]]), np.log(np.array([[0.5, 0.5]]))
    assert ops.kl_divergence(p, q).item() == pytest.approx(np.log(2))


def test_dropout_without_an_rng_is_refused_and_nothing_is_drawn_for_p_0():
    x = Tensor(np.ones(3))
    for call in (lambda: ops.dropout(x), lambda: ops.dropout(x, p=0.5), lambda: ops.dropout(x, 0.5, None)):
        with pytest.raises(ArgumentError, match="rng"):
            call()
    assert ops.dropout(x, p=0.0).data is x.data


def test_dropout_keeps_the_expectation():
    x = Tensor(np.ones((200, 200)), requires_grad=True)
    y = ops.dropout(x, p=0.4, rng=np.random.default_rng(0))
    assert set(np.unique(y.data)) == {0.0, 1 / 0.6 * 1.0}
    # 40,000 draws: the mean's standard error is sqrt(0.4/0.6)/200 = 0.004
    assert abs(y.data.mean() - 1) < 0.02 and abs((y.data == 0).mean() - 0.4) < 0.0125
    y.backward(np.ones_like(y.data))
    np.testing.assert_array_equal(x.grad, y.data)


def test_attention_dropout_scales_what_it_keeps():
    rng = np.random.default_rng(0)
    q, k = (np.zeros((400, 1, 1, 2)), np.zeros((400, 1, 4, 2)))
    v = np.ones((400, 1, 4, 2))
    out = ops.attention(q, k, v, p=0.5, rng=rng).data
    # each answer is the mean of four values, each 0 or 2
    assert set(np.unique(out)) <= {0.0, 0.5, 1.0, 1.5, 2.0}
    assert abs(out.mean() - 1) < 0.1


def test_attention_dropout_has_the_gradient_of_what_it_kept():
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=(2, 2, 3, 4)) for _ in range(3)]
    fixed = lambda q, k, v: ops.attention(q, k, v, causal=True, p=0.3, rng=np.random.default_rng(7))
    assert gradcheck(fixed, arrays)


def test_embedding_sums_rows_by_sorting_and_by_one_hot_alike():
    rng = np.random.default_rng(0)
    ids, g = rng.integers(0, 600, 2000), rng.normal(size=(2000, 3))
    expected = np.zeros((600, 3))
    np.add.at(expected, ids, g)
    np.testing.assert_allclose(sum_rows_by_id(g, ids, 600, True), expected, atol=1e-12)
    few = ids % 500
    expected = np.zeros((500, 3))
    np.add.at(expected, few, g)
    np.testing.assert_allclose(sum_rows_by_id(g, few, 500, True), expected, atol=1e-12)
    assert not sum_rows_by_id(g[:0], ids[:0], 600, True).any()


def test_the_rope_product_depends_on_distance_alone():
    rng = np.random.default_rng(0)
    q, k = rng.normal(size=(1, 8)), rng.normal(size=(1, 8))

    def product(i, j):
        turned = [
            ops.rope(x, **dict(zip(("cos", "sin"), ops.rope_table(np.array([p]), 8)))).data for x, p in ((q, i), (k, j))
        ]
        return float((turned[0] * turned[1]).sum())

    assert product(3, 1) == pytest.approx(product(103, 101), abs=1e-10)
    assert product(3, 1) != pytest.approx(product(3, 2), abs=1e-3)


def test_rope_turns_pair_i_once_every_2_pi_base_to_the_2i_over_k_positions():
    cos, sin = ops.rope_table(np.array([0, 1, 7]), 6, base=100.0)
    angles = np.array([0, 1, 7])[:, None] / 100.0 ** (np.array([0, 2, 4]) / 6)
    np.testing.assert_allclose(cos, np.cos(angles), rtol=1e-12)
    np.testing.assert_allclose(sin, np.sin(angles), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(ops.rope_table(np.arange(3), 4)[0], ops.rope_table(np.arange(3), 4, 10_000.0)[0])


def test_options_that_are_left_out_mean_what_the_docstring_says():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    last = x - x.max(-1, keepdims=True)
    np.testing.assert_allclose(ops.softmax(x).data, np.exp(last) / np.exp(last).sum(-1, keepdims=True))
    np.testing.assert_allclose(ops.log_softmax(x).data.sum(-1), ops.log_softmax(x, axis=2).data.sum(-1))
    np.testing.assert_array_equal(ops.cumsum(x).data, x.cumsum(-1))
    np.testing.assert_array_equal(ops.logsumexp(x).data, ops.logsumexp(x, axis=2).data)
    np.testing.assert_array_equal(ops.gather(x, np.zeros((2, 3, 1), int)).data, x[..., :1])
    np.testing.assert_array_equal(ops.swapaxes(x).data, x.swapaxes(-1, -2))
    np.testing.assert_array_equal(ops.expand_dims(x).data, x[None])
    np.testing.assert_array_equal(ops.concat([x, x]).data, np.concatenate([x, x], 0))
    np.testing.assert_array_equal(ops.stack([x, x]).data, np.stack([x, x], 0))
    np.testing.assert_array_equal(ops.split(x, [1, 3])[0].data, x[..., :1])
    np.testing.assert_array_equal(ops.tril(x).data, np.tril(x))
    np.testing.assert_array_equal(ops.triu(x).data, np.triu(x))
    np.testing.assert_array_equal(ops.flip(x).data, np.flip(x))
    np.testing.assert_array_equal(ops.squeeze(x[None]).data, x)
    np.testing.assert_array_equal(ops.pad(x[0], widths=((1, 0), (0, 1))).data, np.pad(x[0], ((1, 0), (0, 1))))
    np.testing.assert_array_equal(ops.masked_fill(x, x > 0).data, np.where(x > 0, 0, x))
    np.testing.assert_allclose(ops.var(x).data, x.var())
    np.testing.assert_allclose(ops.var(x, axis=1, correction=1).data, x.var(1, ddof=1))
    np.testing.assert_allclose(ops.gelu(x).data, ops.composed.gelu(Tensor(x)).data)
    assert ops.astype(x).dtype == np.float32 and ops.sum(x).shape == ops.mean(x).shape == ops.max(x).shape == ()
    assert ops.attention(x[None], x[None], x[None]).shape == (1, 2, 3, 4)
    for reduce in (ops.sum, ops.mean, ops.max, ops.min, ops.amax, ops.amin, ops.var, ops.logsumexp):
        assert reduce(x, axis=1).shape == (2, 4)
    assert [part.shape for part in ops.split(x, [0, 4])] == [(2, 3, 0), (2, 3, 4)]
    dropped = ops.dropout(np.ones(10_000), rng=np.random.default_rng(0)).data
    assert (dropped == 0).mean() == pytest.approx(0.1, abs=0.01)
    small = np.full((1, 2), 1e-4) * [1, -1]
    np.testing.assert_allclose(ops.layer_norm(small).data, small / np.sqrt(1e-8 + 1e-5), rtol=1e-9)
    np.testing.assert_allclose(ops.rms_norm(small).data, small / np.sqrt(1e-8 + 1e-6), rtol=1e-9)
