"""Products through cuBLAS itself: each layout that the engine hands on, at sizes of its layers, in each precision."""

from __future__ import annotations

import numpy as np
import pytest
from gpu_bounds import distance, error

from tinygrad_llm.backend import as_dtype, gemm, matmul, tf32_products

pytestmark = pytest.mark.gpu
WHOLE = {"float64": 1e-14, "float32": 4e-6, "bfloat16": 2.0**-8}
WORST = {"float64": 1e-12, "float32": 4e-5, "bfloat16": 2.0**-7}
"""How far all numbers together, and the worst of them, may be from float64's; see `gpu_bounds`."""


def tensor_core_bound(terms: int) -> float:
    """The same for a float32 sum of products of bfloat16 numbers, all numbers together.

    A tensor core adds sixteen products at a time to a sum that it cuts off, not rounds, at 24 bits: half a unit of 2^-23
    is lost each time on average, always towards 0, so the losses add up. (Fasi, Higham, Mikaitis and Pranesh, "Numerical
    behavior of NVIDIA tensor cores", 2021.) An H200 lost 4.4e-6 over 4096 terms; this is 1.5e-5, and reduction in
    bfloat16 would lose a hundred times as much.
    """
    return max(WHOLE["float32"], terms / 16 * 2.0**-24)


LINEAR = {
    "ragged": (33, 45, 67),
    "nanoGPT": (4096, 384, 1536),
    "vocabulary": (128, 768, 50257),
    "one row": (1, 768, 2304),
}
SMALL = {"nanoGPT": (40, 24, 96), "vocabulary": (12, 20, 503), "one row": (1, 20, 60)}


def sizes(name: str, on_standin: bool) -> tuple[int, int, int]:
    return SMALL.get(name, LINEAR[name]) if on_standin else LINEAR[name]


def drawn(*shapes: tuple, dtype: str) -> list[np.ndarray]:
    """Normal numbers that bfloat16 holds."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(as_dtype("bfloat16")).astype(as_dtype(dtype)) for shape in shapes]


def wide(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64)


def assert_product(found, exact: np.ndarray, dtype: str, whole: float | None = None) -> None:
    off = distance(found.get(), exact) / (whole or WHOLE[dtype]), error(found.get(), exact) / WORST[dtype]
    assert max(off) <= 1, f"{off[0]:.3g} times the bound of all, {off[1]:.3g} of the worst"


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_layers_products(name, dtype, cupy, on_standin, tensor_cores):
    """y = x W^T, dx = g W, dW = g^T x, and dW added to what is there: float32 beside bfloat16 factors."""
    n, i, o = sizes(name, on_standin)
    x, w, g = drawn((n, i), (o, i), (n, o), dtype=dtype)
    there_x, there_w, there_g = map(cupy.asarray, (x, w, g))
    master, whole = ("float32", tensor_core_bound(n)) if dtype == "bfloat16" else (dtype, None)
    exact = wide(g).T @ wide(x)
    assert_product(gemm(there_x, there_w, transpose_b=True), wide(x) @ wide(w).T, dtype)
    assert_product(gemm(there_g, there_w), wide(g) @ wide(w), dtype)
    dw = gemm(there_g, there_x, transpose_a=True, dtype=as_dtype(master))
    assert_product(dw, exact, master, whole)
    gemm(there_g, there_x, transpose_a=True, out=dw, accumulate=True)
    assert dw.dtype == as_dtype(master)
    assert_product(dw, 2 * exact, master, whole)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_views_are_multiplied_where_they_lie(dtype, cupy, tensor_cores):
    """A part of the columns, every second row, a transposed view of either: no copy, and nothing beside them is touched."""
    a, b = drawn((64, 48), (48, 40), dtype=dtype)
    exact = wide(a) @ wide(b)
    columns = cupy.asarray(np.concatenate([a, np.full_like(a, np.nan)], 1))[:, :48]
    rows = cupy.asarray(np.repeat(b, 2, 0))[::2]
    turned = cupy.asarray(np.ascontiguousarray(a.T)).T
    for left in (columns, turned):
        for right in (cupy.asarray(b), rows):
            assert_product(gemm(left, right), exact, dtype)
    whole = cupy.asarray(np.full((64, 100), 7, as_dtype(dtype)))
    gemm(columns, rows, out=whole[:, 30:70])
    assert_product(whole[:, 30:70], exact, dtype)
    assert (whole.get()[:, :30] == 7).all() and (whole.get()[:, 70:] == 7).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((6, 33, 20), (6, 20, 45)),
        ((4, 3, 33, 20), (4, 1, 20, 45)),  # heads that share their keys
        ((5, 33, 20), (20, 45)),
        ((33, 20), (5, 20, 45)),  # one matrix for all
    ],
)
def test_batches_are_broadcast(left, right, dtype, cupy, tensor_cores):
    a, b = drawn(left, right, dtype=dtype)
    assert_product(matmul(cupy.asarray(a), cupy.asarray(b)), wide(a) @ wide(b), dtype)
    keys = cupy.asarray(np.ascontiguousarray(b.swapaxes(-1, -2))).swapaxes(-1, -2)
    assert_product(matmul(cupy.asarray(a), keys), wide(a) @ wide(b), dtype)


def test_what_was_there_does_not_matter_where_nothing_is_added(cupy):
    a, b = drawn((9, 7), (7, 5), dtype="float32")
    out = cupy.asarray(np.full((9, 5), np.nan, np.float32))
    assert_product(gemm(cupy.asarray(a), cupy.asarray(b), out=out), wide(a) @ wide(b), "float32")


def test_tf32_is_used_where_it_is_asked_for_and_only_there(cupy, on_standin, tensor_cores):
    n = 64 if on_standin else 1024
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((n, n)).astype(np.float32) for _ in range(2))
    exact, left, right = wide(a) @ wide(b), cupy.asarray(a), cupy.asarray(b)
    assert distance(gemm(left, right).get(), exact) < WHOLE["float32"]
    with tf32_products():
        assert 5e-5 < distance(gemm(left, right).get(), exact) < 1e-3  # ten bits of two factors: 3e-4
    assert distance(gemm(left, right).get(), exact) < WHOLE["float32"]


def test_a_product_waits_for_what_the_stream_was_told_before(cupy, stream, on_standin):
    """On another stream than the last: the handle follows."""
    n = 32 if on_standin else 2048
    x = cupy.zeros((n, n), np.float32)
    for i in range(20):
        x.fill(i)
        y = gemm(x, x)
    assert float(y[0, 0]) == 19 * 19 * n and float(y[-1, -1]) == 19 * 19 * n
