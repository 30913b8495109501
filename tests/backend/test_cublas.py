"""Products through cuBLAS: each layout that the seam hands on is read by a mock that takes it literally."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

cupy = pytest.importorskip("cupy", reason="runs on the stand-in for CuPy, or on a GPU")
if cupy.__version__ != "stand-in" and not cupy.is_available():
    pytest.skip("runs on the stand-in for CuPy, or on a GPU", allow_module_level=True)

from tinygrad_llm.backend import bfloat16, cublas, gemm, matmul, tf32_products  # noqa: E402
from tinygrad_llm.errors import DtypeError  # noqa: E402

sizes = st.integers(1, 5)
dtypes = st.sampled_from(["float32", "float64"])
ATOL = {"float32": 1e-5, "float64": 1e-12}


def laid_out(x: np.ndarray, how: str):
    """x on the GPU: row by row, column by column, every second row of a wider array, or a part of its columns."""
    if how == "transposed":
        return cupy.asarray(np.ascontiguousarray(x.swapaxes(-1, -2))).swapaxes(-1, -2)
    if how == "padded":
        wide = cupy.asarray(np.concatenate([x, np.full_like(x, np.nan)], -1))
        return wide[..., : x.shape[-1]]
    if how == "every second":
        tall = cupy.asarray(np.repeat(x, 2, axis=-2))
        return tall[..., ::2, :]
    return cupy.asarray(np.ascontiguousarray(x))


layouts = st.sampled_from(["rows", "transposed", "padded", "every second"])


@given(n=sizes, i=sizes, o=sizes, dtype=dtypes, flags=st.tuples(*[st.booleans()] * 3), ways=st.tuples(layouts, layouts))
def test_gemm_is_the_product_whatever_the_layout(n, i, o, dtype, flags, ways):
    transpose_a, transpose_b, accumulate = flags
    rng = np.random.default_rng(n + 10 * i + 100 * o)
    a, b, c = (rng.normal(size=shape).astype(dtype) for shape in ((n, i), (i, o), (n, o)))
    left, right = laid_out(a.T if transpose_a else a, ways[0]), laid_out(b.T if transpose_b else b, ways[1])
    out = cupy.asarray(c) if accumulate else None
    found = gemm(left, right, transpose_a=transpose_a, transpose_b=transpose_b, out=out, accumulate=accumulate)
    np.testing.assert_allclose(found.get(), a @ b + (c if accumulate else 0), atol=ATOL[dtype])
    assert out is None or found is out


@given(
    n=sizes,
    i=sizes,
    o=sizes,
    lead=st.sampled_from(
        [
            ((), ()),
            ((2,), (2,)),
            ((3, 2), (3, 2)),
            ((3, 2), (3, 1)),
            ((2,), ()),
            ((), (2,)),
            ((3, 1), (1, 2)),
            ((1, 2), (2,)),
        ]
    ),
    ways=st.tuples(layouts, layouts),
    given_out=st.booleans(),
)
def test_matmul_broadcasts_as_numpy_does(n, i, o, lead, ways, given_out):
    rng = np.random.default_rng(n + 10 * i + 100 * o)
    a, b = rng.normal(size=(*lead[0], n, i)), rng.normal(size=(*lead[1], i, o))
    expected = a @ b
    out = cupy.empty(expected.shape, a.dtype) if given_out else None
    found = matmul(laid_out(a, ways[0]), laid_out(b, ways[1]), out=out)
    np.testing.assert_allclose(found.get(), expected, atol=1e-12)
    assert out is None or found is out


def test_a_product_into_a_view_reaches_it():
    a, b = np.ones((2, 3, 4)), np.ones((2, 4, 5))
    whole = cupy.zeros((2, 3, 10))
    matmul(cupy.asarray(a), cupy.asarray(b), out=whole[:, :, 5:])
    assert (whole.get()[:, :, 5:] == 4).all() and (whole.get()[:, :, :5] == 0).all()


@pytest.mark.parametrize("shapes", [((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 3), (3, 0))])
def test_empty_products(shapes):
    a, b = (np.ones(shape, np.float32) for shape in shapes)
    np.testing.assert_array_equal(gemm(cupy.asarray(a), cupy.asarray(b)).get(), a @ b)
    batched = matmul(cupy.asarray(a[None]), cupy.asarray(b[None])).get()
    np.testing.assert_array_equal(batched, (a @ b)[None])


def test_bfloat16_factors_have_a_product_summed_in_float32():
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=shape).astype(bfloat16()) for shape in ((4, 300), (300, 5)))
    exact = a.astype(np.float64) @ b.astype(np.float64)
    left, right = cupy.asarray(a), cupy.asarray(b)
    np.testing.assert_allclose(gemm(left, right, dtype=np.float32).get(), exact, atol=1e-4)
    rounded = gemm(left, right).get()
    assert rounded.dtype == bfloat16()
    np.testing.assert_allclose(rounded.astype(np.float64), exact, rtol=2**-8)  # one rounding to eight bits


def test_the_parts_of_a_split_product_are_added_in_float32():
    """Two halves of 1004 and -1003.75: in bfloat16, whose steps are 4 there, the quarter would be lost."""
    n = 4096
    a, b = np.full((1, n), 1, bfloat16()), np.zeros((n, 1), bfloat16())
    b[0], b[1:9], b[n // 2 : n // 2 + 8], b[-1] = 1000.0, 0.5, -125.0, -3.75
    exact = (a.astype(np.float64) @ b.astype(np.float64)).item()
    product = gemm(cupy.asarray(a), cupy.asarray(b)).get().item()
    assert product == exact == 0.25


def test_tf32_keeps_ten_bits_of_each_factor():
    a = np.full((8, 16), 1 + 2**-12, np.float32)
    x = cupy.asarray(a)
    assert gemm(x, x, transpose_b=True).get()[0, 0] > 16
    with tf32_products():
        assert gemm(x, x, transpose_b=True).get()[0, 0] == 16
    assert gemm(x, x, transpose_b=True).get()[0, 0] > 16


def test_two_dtypes_are_refused():
    with pytest.raises(DtypeError, match="one dtype"):
        gemm(cupy.zeros((2, 2), np.float32), cupy.zeros((2, 2), np.float64))


def lost_transposition(flag, ld, x):
    return 0, max(ld, x.shape[-1]), x


def packed_lines(flag, ld, x):
    return flag, x.shape[-2] if flag else x.shape[-1], x


def lines_one_too_long(flag, ld, x):
    return flag, ld + 1, x


@pytest.mark.parametrize("fault", [lost_transposition, packed_lines, lines_one_too_long])
def test_a_wrong_layout_is_noticed(fault, monkeypatch):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    left, right = laid_out(a, "padded"), laid_out(b, "transposed")
    np.testing.assert_allclose(gemm(left, right).get(), a @ b)
    right_layout = cublas._layout
    monkeypatch.setattr(cublas, "_layout", lambda x: fault(*right_layout(x)))
    found = gemm(left, right, out=cupy.empty((8, 8))[:4, :4]).get()
    assert not np.allclose(found, a @ b)
