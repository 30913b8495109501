"""Sums and casts of arrays on a GPU go through our own kernels, and only those that the kernels know."""

from __future__ import annotations

import numpy as np
import pytest

cupy = pytest.importorskip("cupy", reason="runs on the stand-in for CuPy, or on a GPU")
if cupy.__version__ != "stand-in" and not cupy.is_available():
    pytest.skip("runs on the stand-in for CuPy, or on a GPU", allow_module_level=True)

from tinygrad_llm import ops  # noqa: E402
from tinygrad_llm.autograd import Tensor  # noqa: E402
from tinygrad_llm.backend import add, as_dtype, cast, cuda_ops  # noqa: E402

DTYPES = ["float32", "bfloat16"]


@pytest.fixture
def kernels(monkeypatch) -> list[str]:
    """The kernels that `cuda_ops` launches meanwhile."""
    launched: list[str] = []
    launch = cuda_ops.launch

    def counted(file, kernel, *rest):
        launched.append(kernel)
        launch(file, kernel, *rest)

    monkeypatch.setattr(cuda_ops, "launch", counted)
    return launched


def drawn(shape, dtype="float32", seed=0):
    return cupy.asarray(np.random.default_rng(seed).normal(size=shape).astype(as_dtype(dtype)))


def rounded(x: np.ndarray, dtype: str) -> np.ndarray:
    return x.astype(np.float32).astype(as_dtype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 5, 8), (1001,), (), (0, 4)])
def test_a_sum_of_two_alike_is_our_kernels(shape, dtype, kernels):
    a, b = drawn(shape, dtype), drawn(shape, dtype, 1)
    expected = rounded(a.get().astype(np.float32) + b.get().astype(np.float32), dtype)
    found = add(a, b)
    assert found.dtype == a.dtype and found.shape == a.shape
    np.testing.assert_array_equal(found.get(), expected)
    assert add(a, b, out=a) is a
    np.testing.assert_array_equal(a.get(), expected)
    assert kernels == [f"add_{dtype}"] * (2 if a.size else 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_other_sums_are_cupys(dtype, kernels):
    """Broadcast, a transposed view, every second row, a number: the values are the same, whoever adds."""
    a, rest = drawn((6, 6), dtype), [drawn(6, dtype), drawn((6, 6), dtype).T, drawn((12, 6), dtype)[::2], 2]
    for b in rest:
        plain = b if isinstance(b, int) else b.get().astype(np.float32)
        np.testing.assert_array_equal(add(a, b).get(), rounded(a.get().astype(np.float32) + plain, dtype))
        np.testing.assert_array_equal(add(b, a).get(), rounded(a.get().astype(np.float32) + plain, dtype))
    assert kernels == []
    wide = drawn((6, 6)).astype(np.float64)
    assert add(wide, wide).dtype == np.float64 and kernels == []


def test_two_views_that_begin_between_packs(kernels):
    """At one offset by one element each, at another by two different ones."""
    memory = drawn(100)
    for first, second in ((1, 33), (1, 34)):
        a, b = memory[first : first + 30], memory[second : second + 30]
        np.testing.assert_array_equal(add(a, b).get(), a.get() + b.get())
    assert kernels == ["add_float32"] * 2


def test_casts_there_and_back_are_our_kernels(kernels):
    x = drawn((7, 33))
    half = cast(x, as_dtype("bfloat16"))
    np.testing.assert_array_equal(half.get(), rounded(x.get(), "bfloat16"))
    np.testing.assert_array_equal(cast(half, np.float32).get(), half.get().astype(np.float32))
    assert cast(x, np.float32) is x and kernels == ["to_bfloat16", "to_float32"]
    np.testing.assert_array_equal(cast(x.T, as_dtype("bfloat16")).get(), half.get().T)
    assert cast(x, np.float64).dtype == np.float64 and cast(x > 0, np.float32).dtype == np.float32
    assert len(kernels) == 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_residual_sums_there_and_back_and_casts_of_weights_are_ours(dtype, kernels):
    """x + f(x): one sum forward, one for the two gradients that meet in x, in either dtype."""
    x = Tensor(drawn((4, 8), dtype), requires_grad=True)
    w = Tensor(drawn((8, 8)), requires_grad=True)
    y = x * 2
    z = y + ops.linear(y, w)
    z.backward(drawn((4, 8), dtype, 2))
    sums = [name for name in kernels if name.startswith("add_")]
    casts = [name for name in kernels if name.startswith("to_")]
    assert sums == [f"add_{dtype}"] * 2 and casts == (["to_bfloat16"] if dtype == "bfloat16" else [])


def test_gradients_that_meet_are_added_by_kernels_and_none_that_was_borrowed_is_written(kernels):
    """b = 2a, c = 3a, z = (b + c) + 5b + 7b: of b the first term is borrowed, the second makes a sum, the third joins it."""
    a = Tensor(drawn(6), requires_grad=True)
    b, c = a * 2, a * 3
    g = cupy.ones(6, np.float32)
    z = (b + c) + b * 5 + b * 7
    assert kernels == ["add_float32"] * 3
    z.backward(g)
    assert kernels == ["add_float32"] * (3 + 2 + 1)  # two more terms of b, one more of the leaf
    np.testing.assert_array_equal(a.grad.get(), np.full(6, 29, np.float32))
    np.testing.assert_array_equal(g.get(), np.ones(6, np.float32))
