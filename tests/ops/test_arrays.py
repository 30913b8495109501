"""What each operation does with arrays that a reader does not think of: other element types, layouts, empty axes.

The table, for every operation of `op_cases.CASES`:

float16, longdouble, complex, text, dates, objects, foreign byte order   refused by DtypeError; `Tensor` takes the last
integers        KEPT as NumPy's integers, which wrap around as PyTorch's do; FLOAT32; or REFUSED
booleans        as NumPy's, but those of REFUSED and NO_BOOLEANS
any strides, any memory that cannot be written   the same values and gradients, and nothing is written
empty axes      the definition's value, and gradients of the inputs' shapes; or ShapeError or ArgumentError, in EMPTY
one entry       the definition's value
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from op_cases import CASES
from test_ops import NAMES, _for_numpy
from tolerances import SINGLE_OP

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError, TinygradLLMError

few = settings(max_examples=6, derandomize=True, database=None, phases=[Phase.generate])  # a failure is small enough
each_case = pytest.mark.parametrize("case", CASES, ids=NAMES)

FOREIGN = ["float16", "longdouble", "complex64", "complex128", "object", "U3", "M8[s]", ">f4", ">f8", ">i8", "V8"]
KEPT = {
    "add", "subtract", "multiply", "power", "remainder", "sign", "prod", "repeat", "sort", "topk", "flatten", "negative",
    "absolute", "relu", "maximum", "minimum", "where", "sum", "max", "min", "amax", "amin", "cumsum", "matmul", "einsum",
    "linear", "joint_linear", "grouped_linear", "reshape", "transpose", "swapaxes", "expand_dims", "squeeze",
    "broadcast_to", "flip", "concat", "stack", "split", "getitem", "gather", "embedding", "tril", "triu",
}  # fmt: skip
FLOAT32 = {
    "divide", "std", "exp", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tanh", "sigmoid", "erf", "log_sigmoid",
    "softplus", "clip", "masked_fill", "mean", "var", "logsumexp", "pad",
}  # fmt: skip
REFUSED = {
    "silu", "gelu", "swiglu", "softmax", "log_softmax", "layer_norm", "rms_norm", "attention", "packed_attention", "rnn",
    "gru", "lstm", "rope", "cross_entropy", "linear_cross_entropy", "mse", "binary_cross_entropy", "kl_divergence",
}  # fmt: skip
NO_BOOLEANS = {"subtract", "negative", "sign"}
EMPTY = {
    "std", "var", "mean", "logsumexp", "softmax", "log_softmax", "max", "min", "amax", "amin", "layer_norm", "rms_norm",
    "mse", "binary_cross_entropy", "kl_divergence", "cross_entropy", "linear_cross_entropy", "linear", "joint_linear",
    "grouped_linear", "attention", "packed_attention", "rnn", "gru", "lstm", "rope", "repeat", "topk",
}  # fmt: skip
"""Operations that refuse some axis of size 0, where NumPy has a value or a warning."""


def drawn(case, data):
    arrays, options = case.inputs(data.draw)
    return list(map(np.asarray, arrays)), options | case.options


def floats(arrays, change):
    """The arrays with `change` applied to those of floats, which are the operation's numbers."""
    return [change(a) if a.dtype == np.float64 else a for a in arrays]


def definition(case, arrays, options):
    with np.errstate(all="ignore"):
        return np.asarray(case.expected(*arrays, **_for_numpy(case.name, options)))


def test_the_table_has_every_operation_once():
    names = {case.name for case in CASES}
    assert names - {"astype"} == KEPT | FLOAT32 | REFUSED
    assert not (KEPT & FLOAT32 or KEPT & REFUSED or FLOAT32 & REFUSED) and NO_BOOLEANS <= KEPT and names >= EMPTY


@each_case
@few
@given(data=st.data())
def test_an_element_type_that_is_none_of_ours_is_refused_by_name(case, data):
    arrays, options = drawn(case, data)
    for dtype in FOREIGN:
        given_arrays = floats(
            arrays, lambda a, d=dtype: a.astype(np.int64).astype(d) if d in ("M8[s]", "V8") else a.astype(d)
        )
        with pytest.raises(DtypeError, match="bfloat16"):
            case.op(*given_arrays, **options)


@each_case
@few
@given(data=st.data())
def test_integers_are_kept_become_float32_or_are_refused(case, data):
    arrays, options = drawn(case, data)
    for dtype in ("int64", "int32", "int8", "uint8"):
        whole = floats(arrays, lambda a, d=dtype: np.asarray(np.abs(a) + 1).astype(d))  # no division by zero
        if case.name in REFUSED:
            with pytest.raises(DtypeError):
                case.op(*whole, **options)
            continue
        found = case.op(*whole, **options)
        assert not found.requires_grad
        if case.name in KEPT:
            expected = definition(case, whole, options)
            np.testing.assert_array_equal(found.data, expected)
            assert found.dtype == expected.dtype
        else:
            as_floats = [w.astype(float) if a.dtype == float else w for a, w in zip(arrays, whole)]
            expected = definition(case, as_floats, options)
            np.testing.assert_allclose(found.data, expected, rtol=1e-5, atol=1e-5)
            assert found.dtype == (np.float64 if case.name == "astype" else np.float32)


@each_case
@few
@given(data=st.data())
def test_booleans_are_numpys_or_refused(case, data):
    arrays, options = drawn(case, data)
    truths = floats(arrays, lambda a: np.asarray(np.abs(a) >= 0))  # all true: no division by zero
    if case.name in REFUSED | NO_BOOLEANS:
        with pytest.raises(DtypeError):
            case.op(*truths, **options)
        return
    found = case.op(*truths, **options).data
    if found.dtype.kind == "f":
        truths = [a.astype(float) if a.dtype == bool and b.dtype == float else a for a, b in zip(truths, arrays)]
    expected = definition(case, truths, options).astype(float)
    np.testing.assert_allclose(found.astype(float), expected, rtol=1e-5, atol=1e-5)


def layouts(a):
    """The same values: every axis backwards in memory, each second place, columns first, beside the address."""
    backwards = np.asarray(np.flip(np.flip(a).copy()))
    wide = np.zeros([2 * n for n in a.shape], a.dtype)
    cut = wide[(*(slice(None, None, 2) for _ in a.shape), ...)]
    cut[...] = a
    memory = np.zeros(a.nbytes + 1, np.uint8)[1:]
    crooked = memory[: a.nbytes].view(a.dtype).reshape(a.shape)
    crooked[...] = a
    found = [backwards, cut, np.copy(a, order="F"), crooked]
    for array in found:
        array.setflags(write=False)
    return found


def value_and_gradients(case, arrays, options, g):
    leaves = floats(arrays, lambda a: Tensor(a, requires_grad=True))
    y = case.op(*leaves, **options)
    if y.requires_grad:
        y.backward(g)
    return [y.data, *(leaf.grad for leaf in leaves if isinstance(leaf, Tensor))]


@each_case
@few
@given(data=st.data())
def test_any_layout_gives_the_same_and_no_argument_is_written(case, data):
    arrays, options = drawn(case, data)
    expected = definition(case, arrays, options)
    g = np.asarray(np.random.default_rng(0).normal(size=expected.shape))
    wanted = value_and_gradients(case, arrays, options, g)
    for *laid, shaped in zip(*map(layouts, [*arrays, g])):
        for found, right in zip(value_and_gradients(case, laid, options, shaped), wanted, strict=True):
            np.testing.assert_allclose(found, right, **SINGLE_OP["float64"])


CUTS = {
    "no rows": lambda a: a[:0], "no columns": lambda a: a[..., :0], "one row": lambda a: a[:1], "one column": lambda a: a[..., :1],
}  # fmt: skip


@pytest.mark.parametrize("cut", CUTS)
@each_case
@few
@given(data=st.data())
def test_empty_and_single_axes_have_the_definitions_value_or_are_refused(case, cut, data):
    arrays, options = drawn(case, data)
    arrays = [CUTS[cut](a) if a.ndim else a for a in arrays]
    leaves = floats(arrays, lambda a: Tensor(a, requires_grad=True))
    try:
        found = case.op(*leaves, **options)
    except TinygradLLMError:
        # it has no value in NumPy either; einsum never broadcasts a letter, here of 1 to 0
        if cut.startswith("no") and case.name not in EMPTY | {"einsum"}:
            with pytest.raises((ValueError, IndexError)):
                definition(case, arrays, options)
        return
    assert found.size or found.dtype == np.float64
    if found.requires_grad:
        found.backward(np.ones(found.shape))
    assert all(leaf.grad is None or leaf.grad.shape == leaf.shape for leaf in leaves if isinstance(leaf, Tensor))
    try:
        expected = definition(case, arrays, options)
    except ValueError:  # the definition's own reshape cannot tell what -1 stands for
        assert found.size == 0
        return
    np.testing.assert_allclose(found.data, expected, **SINGLE_OP["float64"])
    assert found.shape == expected.shape


def test_integers_wrap_around():
    int8, uint8 = (lambda *v, d=d: np.array(v, d) for d in (np.int8, np.uint8))
    assert ops.add(int8(127), int8(1)).data == -128 and ops.add(uint8(200), uint8(100)).data == 44
    assert ops.negative(int8(-128)).data == ops.absolute(int8(-128)).data == -128 and ops.negative(uint8(1)).data == 255
    assert ops.multiply(int8(64), 2).data == -128 and ops.matmul(int8(100, 100), int8(1, 1)).data == -56
    assert ops.power(np.array([2]), 63).data == np.iinfo(np.int64).min and ops.subtract(uint8(0), uint8(1)).data == 255


def test_sums_of_narrow_integers_have_room():
    many = np.full(1000, 100, np.int8)
    for op, value in ((ops.sum, 100_000), (lambda x: ops.cumsum(x)[-1], 100_000), (lambda x: ops.prod(x[:9]), 100**9)):
        assert op(many).item() == value
    assert ops.mean(many).item() == 100 and ops.mean(np.full(3, np.iinfo(np.int64).max)).item() == pytest.approx(2**63)


@pytest.mark.oracle
@given(data=st.data())
def test_integer_arithmetic_over_the_whole_range_is_pytorchs(data):
    import torch

    for dtype in (np.int8, np.uint8, np.int32, np.int64):
        bounds = np.iinfo(dtype)
        values = st.lists(st.integers(int(bounds.min), int(bounds.max)), min_size=3, max_size=3)
        a, b = (np.array(data.draw(values), dtype) for _ in "ab")
        s, t = torch.tensor(a), torch.tensor(b)
        pairs = [
            (ops.add(a, b), s + t), (ops.subtract(a, b), s - t), (ops.multiply(a, b), s * t), (ops.negative(a), -s),
            (ops.absolute(a), s.abs()), (ops.maximum(a, b), torch.maximum(s, t)), (ops.minimum(a, b), torch.minimum(s, t)),
            (ops.sum(a), s.sum()), (ops.prod(a), s.prod()), (ops.cumsum(a), s.cumsum(0)), (ops.power(a, 3), s**3),
            (ops.matmul(a, b), s @ t), (ops.relu(a), s.relu()), (ops.sign(a), s.sign()), (ops.sort(a)[0], s.sort()[0]),
        ]  # fmt: skip
        if dtype == np.uint8:  # NumPy adds up in uint64, PyTorch in int64: the same bits
            pairs = [(x.astype(np.int64) if x.dtype == np.uint64 else x, y) for x, y in pairs]
        for ours, theirs in pairs:
            np.testing.assert_array_equal(ours.data, theirs.numpy())


def test_a_number_that_an_array_cannot_hold_is_refused():
    for array, number in ((np.ones(2, np.uint8), 300), (np.ones(2, np.uint8), -1), (np.ones(2, np.int64), 10**30)):
        for op in (ops.add, ops.multiply, ops.maximum):
            with pytest.raises(DtypeError, match=str(number)):
                op(array, number)
    with pytest.raises((DtypeError, ShapeError, ArgumentError)):
        ops.masked_fill(np.ones(2, np.uint8), np.ones(2, bool), value=300)


def test_a_mean_square_of_integers_is_not_cut_to_an_integer():
    with pytest.raises(DtypeError, match="float"):
        ops.mse(np.array([1, 2]), np.array([2, 4]))  # 2.5, which int64 has no place for
    with pytest.raises(DtypeError, match="float"):
        ops.rope(np.array([[3, 5]]), cos=np.array([[0.5]]), sin=np.array([[0.5]]))  # not [[-1, 4]] either, but 0


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i8", ">u2"])
def test_a_tensor_of_a_foreign_byte_order_has_the_same_numbers_in_ours(dtype):
    x = Tensor(np.arange(3, dtype=dtype))
    assert (
        x.dtype.isnative
        and x.dtype == np.dtype(dtype).newbyteorder("=")
        and ops.multiply(x, 2).data.tolist() == [0, 2, 4]
    )


@pytest.mark.parametrize("dtype", ["float16", "longdouble", "complex64", "object", "U1", "M8[s]"])
def test_a_tensor_of_a_foreign_element_type_is_refused(dtype):
    with pytest.raises(DtypeError, match="bfloat16"):
        Tensor(np.zeros(2, "i8").astype(dtype))
    with pytest.raises(DtypeError, match="bfloat16"):
        Tensor([0, 1], dtype=dtype)


def test_an_attention_head_has_at_least_one_coordinate():
    nothing = np.ones((1, 1, 2, 0))
    for call in (
        lambda: ops.attention(nothing, nothing, np.ones((1, 1, 2, 3))),
        lambda: ops.packed_attention(np.ones((1, 2, 0))),
    ):
        with pytest.raises(ShapeError, match="head size"):
            call()
