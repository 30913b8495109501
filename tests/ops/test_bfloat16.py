"""bfloat16 on the CPU: what eight bits do not hold is computed in float32 and rounded once, at the end."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_dtype, gemm, sum_rows
from tinygrad_llm.errors import DtypeError

pytest.importorskip("ml_dtypes")
HALF = as_dtype("bfloat16")
RNG = np.random.default_rng(4)


def half(*shape, offset=0.0):
    return (RNG.normal(size=shape) + offset).astype(HALF)


def single(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def both(f, *arrays):
    """f of the arrays, and of the same numbers in float32: values and gradients of each."""
    answers = []
    for wide in (False, True):
        leaves = [Tensor(a.astype(np.float32) if wide else a, requires_grad=True) for a in arrays]
        y = f(*leaves)
        y.backward(np.ones(y.shape, y.dtype))
        answers.append((y, [leaf.grad for leaf in leaves]))
    return answers


@pytest.mark.parametrize(
    ("f", "arrays"),
    [(ops.layer_norm, (half(3, 300, offset=2.0), single(300), single(300))), (ops.rms_norm, (half(3, 300), single(300))),
     (ops.linear, (half(5, 400), single(3, 400), single(3))), (ops.matmul, (half(2, 3, 400), half(2, 400, 4)))],
    ids=["layer_norm", "rms_norm", "linear", "matmul"],
)  # fmt: skip
def test_it_is_the_same_in_float32_rounded_at_the_end(f, arrays):
    (found, gradients), (exact, expected) = both(f, *arrays)
    assert found.dtype == HALF and exact.dtype == np.float32
    one_unit = {"rtol": 2**-7, "atol": 2**-7}  # weights are rounded for a product as well
    np.testing.assert_allclose(found.data.astype(np.float32), exact.data, **(one_unit if f is ops.matmul else {"rtol": 2**-7, "atol": 0.1}))  # fmt: skip
    if f in (ops.layer_norm, ops.rms_norm):
        np.testing.assert_array_equal(found.data, exact.data.astype(HALF))
    for a, gradient, wanted in zip(arrays, gradients, expected):
        assert gradient.dtype == a.dtype
        np.testing.assert_allclose(gradient.astype(np.float32), wanted, rtol=2**-6, atol=0.05 * np.abs(wanted).max())


def test_gradients_of_float32_weights_are_summed_in_float32():
    """A thousand ones: in bfloat16 the sum stands still at 256."""
    x = Tensor(np.ones((1000, 2), HALF))
    w, b = Tensor(np.zeros((3, 2), np.float32), True), Tensor(np.zeros(3, np.float32), True)
    for y in (ops.linear(x, w, b), ops.joint_linear(x, w, b)):
        w.grad = b.grad = None
        y.backward(np.ones(y.shape, HALF))
        assert (w.grad == 1000).all() and (b.grad == 1000).all() and w.grad.dtype == b.grad.dtype == np.float32


def test_long_sums_do_not_stand_still():
    ones = np.ones((1000, 2), HALF)
    assert (sum_rows(ones).astype(float) == 1000).all() and sum_rows(ones, np.float32).dtype == np.float32
    assert gemm(ones, ones, transpose_a=True, dtype=np.float32).tolist() == [[1000, 1000]] * 2
    out = np.full((2, 2), 24, np.float32)
    assert gemm(ones, ones, transpose_a=True, out=out, accumulate=True) is out and (out == 1024).all()
    assert ops.cumsum(ones, axis=0).data[-1].astype(float).tolist() == [1000, 1000]
    assert ops.matmul(ones.T, ones).data.astype(float).tolist() == [[1000, 1000]] * 2
    logits, targets = np.zeros((1000, 300), HALF), np.zeros(1000, int)
    for loss in (ops.cross_entropy(logits, targets), ops.linear_cross_entropy(np.zeros((1000, 2), HALF), single(300, 2) * 0, targets)):  # fmt: skip
        assert loss.dtype == np.float32 and loss.item() == pytest.approx(np.log(300), rel=1e-5)
    for loss in (ops.mse(ones, ones * 0), ops.binary_cross_entropy(ones * 0, ones) / float(np.log(2))):
        assert loss.dtype == np.float32 and loss.item() == pytest.approx(1, rel=1e-5)


def test_a_number_changes_no_dtype_and_a_cast_goes_back():
    x = Tensor(half(4), requires_grad=True)
    for y in (x * 2, 0.5 * x, x + 1, x**2, ops.maximum(x, 0.0), ops.where(x.data > 0, x, 0.0), ops.clip(x, low=0.0)):
        assert y.dtype == HALF
    wide = x.astype("float32")
    (wide * 3).sum().backward()
    assert x.grad.dtype == HALF and x.grad.astype(float).tolist() == [3] * 4


@pytest.mark.parametrize(
    "made",
    ["Tensor([1.0, 2.0], dtype='bfloat16')", "Tensor([1, 2]).astype('bfloat16')", "nn.Parameter([1.0], dtype='bfloat16')",
     "nn.Linear(2, 2, rng=np.random.default_rng(0), dtype='bfloat16').weight", "nn.RMSNorm(2, dtype='bfloat16').weight",
     "nn.LayerNorm(2, dtype='bfloat16').bias"],
)  # fmt: skip
def test_its_name_is_known_in_a_process_that_has_not_met_it(made):
    script = f"import numpy as np\nfrom tinygrad_llm import Tensor, nn\nprint({made}.dtype)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "bfloat16\n", done.stderr


@pytest.mark.parametrize(
    "meet",
    [
        lambda x: x + Tensor(np.ones((2, 3))),
        lambda x: Tensor(np.ones((2, 3))) + x,
        lambda x: x @ Tensor(np.ones((3, 3))),
        lambda x: ops.linear(x, Tensor(np.ones((4, 3)))),
        lambda x: ops.rms_norm(x, Tensor(np.ones(3))),
        lambda x: ops.where(np.ones((2, 3), bool), x, Tensor(np.ones((2, 3)))),
    ],
    ids=["add", "added", "matmul", "linear", "rms_norm", "where"],
)
def test_bfloat16_and_float64_do_not_meet(meet):
    with pytest.raises(DtypeError, match="one (float )?dtype"):
        meet(Tensor(half(2, 3)))
