"""Every operation on a GPU, kernel or not: value and gradients are those of the CPU in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from op_cases import CASES
from test_ops import NAMES
from tolerances import GRADIENT

cupy = pytest.importorskip("cupy", reason="runs on the stand-in for CuPy, or on a GPU")
if cupy.__version__ != "stand-in" and not cupy.is_available():
    pytest.skip("runs on the stand-in for CuPy, or on a GPU", allow_module_level=True)

from tinygrad_llm import ops  # noqa: E402
from tinygrad_llm.autograd import Tensor  # noqa: E402
from tinygrad_llm.backend import DeviceStream, bfloat16, cublas, is_float  # noqa: E402
from tinygrad_llm.errors import DeviceError, DtypeError, ShapeError, TokenError  # noqa: E402

MASTERS = {"linear", "layer_norm", "rms_norm", "linear_cross_entropy"}
"""Operations whose parameters stay float32 beside bfloat16 activations."""
NOT_IN_HALF = {
    "astype": "is told its dtype",
    "einsum": "is for reading, and neither library has it in bfloat16",
    "remainder": "jumps where rounding moves a quotient over a whole number",
    "power": "amplifies the rounding of its inputs by the exponent",
}
EIGHT_BITS = 2.0**-8
"""How far a rounding to bfloat16 moves a number of size 1."""


def inputs_of(case, data, dtype):
    """The drawn arrays, floats rounded to `dtype` and back, and the options."""
    arrays, options = case.inputs(data.draw)
    rounded = [a.astype(dtype).astype(np.float64) if is_float(a.dtype) else a for a in map(np.asarray, arrays)]
    return rounded, options | case.options


def run(case, arrays, options, device, dtypes):
    """The value, and the gradient of each float input under a fixed cotangent, in float64 on the host."""
    leaves = [
        Tensor(Tensor(a.astype(t)).to(device).data, requires_grad=True) if is_float(a.dtype) else a
        for a, t in zip(arrays, dtypes)
    ]
    y = case.op(*leaves, **options)
    cotangent = np.cos(np.arange(y.size)).reshape(y.shape)
    y.backward(Tensor(cotangent.astype(y.dtype)).to(device))
    grads = [t.grad for t in leaves if isinstance(t, Tensor)]
    return [y.numpy().astype(np.float64), *(Tensor(g).numpy().astype(np.float64) for g in grads if g is not None)]


@pytest.fixture(autouse=True)
def _tensors_stay_where_they_are_put(monkeypatch):
    """The second run sends every tensor to the GPU; here one side must stay on the CPU."""
    from tinygrad_llm.autograd import tensor
    from tinygrad_llm.backend import as_array

    monkeypatch.setattr(tensor, "as_array", as_array)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
@given(data=st.data())
def test_value_and_gradients_are_the_cpus(case, dtype, data):
    arrays, options = inputs_of(case, data, dtype)
    if case.name == "astype":
        options = {"dtype": np.float32 if dtype == "float64" else np.float64}
    expected = run(case, arrays, options, "cpu", [np.float64] * len(arrays))
    found = run(case, arrays, options, "cuda", [dtype] * len(arrays))
    assert [x.shape for x in found] == [x.shape for x in expected]
    tolerance = GRADIENT["float32" if case.name == "astype" else dtype]
    for one, other in zip(found, expected):
        # three times: a norm of two near numbers cancels, and divides what is left by their small deviation
        atol = 3 * tolerance["atol"] * (1 + np.abs(other).max(initial=0))
        np.testing.assert_allclose(one, other, rtol=tolerance["rtol"], atol=atol)


@pytest.mark.parametrize("case", [c for c in CASES if c.name not in NOT_IN_HALF],
                         ids=[n for c, n in zip(CASES, NAMES) if c.name not in NOT_IN_HALF])  # fmt: skip
@given(data=st.data())
def test_bfloat16_is_the_cpu_to_eight_bits(case, data):
    arrays, options = inputs_of(case, data, bfloat16())
    rest = np.float32 if case.name in MASTERS else bfloat16()
    expected = run(case, arrays, options, "cpu", [np.float64] * len(arrays))
    found = run(case, arrays, options, "cuda", [bfloat16(), *[rest] * (len(arrays) - 1)])
    for one, other in zip(found, expected):
        # some roundings one after the other, each of the size of the largest number in it
        atol = 6 * EIGHT_BITS * (1 + np.abs(other).max(initial=0))
        np.testing.assert_allclose(one, other, rtol=6 * EIGHT_BITS, atol=atol)


def on_gpu(*shape, seed=0, dtype="float32"):
    return Tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype)).to("cuda")


def test_numpy_may_not_copy_from_the_gpu_in_silence():
    x = on_gpu(3)
    with pytest.raises(DeviceError, match=r"x\.numpy\(\)"):
        np.asarray(x)
    assert np.asarray(x.to("cpu")).shape == (3,)


def test_tensors_on_two_devices_are_refused_and_plain_arrays_follow():
    x, y = on_gpu(2, 3), Tensor(np.ones((2, 3), np.float32))
    with pytest.raises(DeviceError, match=r"add: .*x.to\('cuda'\)"):
        x + y
    assert (x + np.ones((2, 3), np.float32)).device == "cuda"


@pytest.mark.parametrize("index", [[3], [-4], ([0, 1], [0, 9])])
def test_positions_on_the_host_are_checked_before_the_gpu_wraps_them(index):
    index = tuple(map(np.array, index)) if isinstance(index, tuple) else np.array(index)
    with pytest.raises(ShapeError, match="out of bounds"):
        on_gpu(3, 4)[index]


def test_ids_are_checked_on_the_host_and_poison_on_the_gpu():
    table, ids = on_gpu(5, 3), np.array([0, 4, 5])
    with pytest.raises(TokenError, match="0 to 4, got 5"):
        ops.embedding(table, ids)
    rows = ops.embedding(table, Tensor(ids).to("cuda")).numpy()
    assert np.isfinite(rows[:2]).all() and np.isnan(rows[2]).all()
    with pytest.raises(TokenError, match="target"):
        ops.cross_entropy(on_gpu(2, 5), np.array([1, 5]))
    assert np.isnan(ops.cross_entropy(on_gpu(2, 5), Tensor(np.array([1, 5])).to("cuda"), divisor=2).item())
    with pytest.raises(ShapeError, match="indices"):
        ops.gather(on_gpu(2, 3), np.array([[3], [0]]), axis=1)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_class_weights_are_the_cpus(smoothing):
    targets, weight = np.array([0, 4, -100, 2]), np.arange(1, 6, dtype=np.float32)
    x = on_gpu(4, 5)
    twin = Tensor(x.numpy(), requires_grad=True)
    x.requires_grad = True
    for leaf in (x, twin):
        ops.cross_entropy(leaf, targets, weight, label_smoothing=smoothing).backward()
    np.testing.assert_allclose(x.grad.get(), twin.grad, rtol=1e-5, atol=1e-6)


def test_a_loss_of_the_logits_may_be_asked_for_its_gradient_twice():
    x, w = on_gpu(4, 3), on_gpu(7, 3, seed=1)
    x.requires_grad = w.requires_grad = True
    loss = ops.linear_cross_entropy(x, w, np.array([0, 3, -100, 6]))
    loss.backward(retain_graph=True)
    once = x.grad.get()
    loss.backward()
    np.testing.assert_array_equal(x.grad.get(), 2 * once)


@pytest.mark.parametrize(("vocabulary", "columns"), [(7, 64), (64, 64), (65, 128)])
def test_tensor_cores_are_given_a_table_in_whole_tiles_whatever_the_vocabulary(vocabulary, columns, monkeypatch):
    x, w, targets = on_gpu(4, 3), on_gpu(vocabulary, 3, seed=1), np.array([0, 3, -100, 6])
    x.requires_grad = w.requires_grad = True
    asked, multiply = [], cublas.product

    def product(left, right, out, **options):
        asked.append((*left.shape, out.shape[1]))
        return multiply(left, right, out, **options)

    monkeypatch.setattr(cublas, "product", product)
    ops.linear_cross_entropy(x, w, targets).backward()
    assert asked == [(4, 3, columns), (4, columns, 3), (columns, 4, 3)]  # logits, dx, dw
    logits = x.numpy() @ w.numpy().T
    d = np.exp(logits - logits.max(1, keepdims=True))
    d = (d / d.sum(1, keepdims=True) - np.eye(vocabulary)[targets * (targets >= 0)]) * (targets >= 0)[:, None] / 3
    assert w.grad.shape == w.shape
    np.testing.assert_allclose(x.grad.get(), d @ w.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(w.grad.get(), d.T @ x.numpy(), rtol=1e-5, atol=1e-6)


def test_dropout_keeps_its_share_and_its_mask_on_the_way_back():
    x = Tensor(np.ones((4, 1000), np.float32)).to("cuda")
    x.requires_grad = True
    y = ops.dropout(x, p=0.25, rng=DeviceStream.at(seed=7, step=1))
    y.sum().backward()
    np.testing.assert_array_equal(y.numpy(), x.grad.get())
    kept = (y.numpy() > 0).mean()
    assert set(np.unique(y.numpy())) == {0.0, np.float32(1 / 0.75)} and abs(kept - 0.75) < 0.03  # four deviations
    again = ops.dropout(x, p=0.25, rng=DeviceStream.at(seed=7, step=1)).numpy()
    other = ops.dropout(x, p=0.25, rng=DeviceStream.at(seed=7, step=2)).numpy()
    np.testing.assert_array_equal(again, y.numpy())
    assert (other != again).any()


def test_a_split_batch_drops_what_the_whole_drops():
    x = np.ones((6, 50), np.float32)
    whole = ops.dropout(Tensor(x).to("cuda"), p=0.5, rng=DeviceStream.at(3, 4)).numpy()
    rng = DeviceStream.at(3, 4)
    rng.first_example = 2
    part = ops.dropout(Tensor(x[2:]).to("cuda"), p=0.5, rng=rng).numpy()
    np.testing.assert_array_equal(whole[2:], part)


def test_weights_in_bfloat16_would_lose_what_float32_masters_keep():
    with pytest.raises(DtypeError, match="one float dtype"):
        ops.add(on_gpu(2), Tensor(np.ones(2, bfloat16())).to("cuda"))
