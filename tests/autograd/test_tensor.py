"""Claims about the tensor itself: how it meets NumPy and Python, and that its methods are the operations."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import nn, ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.autograd.operators import Operators
from tinygrad_llm.errors import ArgumentError, DtypeError, GradientError, ShapeError


def test_numpy_sees_the_values_of_a_tensor_without_a_gradient():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.asarray(x).dtype == np.float32 and np.shares_memory(np.asarray(x), x.data)
    assert not np.shares_memory(np.array(x), x.data) and np.asarray(x, np.float64).dtype == np.float64
    np.testing.assert_array_equal(np.concatenate([x, x]), [[1, 2], [3, 4]] * 2)
    np.testing.assert_array_equal(np.r_[Tensor([1, 2]), 3], [1, 2, 3])
    np.testing.assert_array_equal(np.asarray([Tensor([1.0]), Tensor([2.0])]), [[1], [2]])
    assert np.asarray(x.detach()).shape == (2, 2)


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x * 2], ids=["leaf", "result"])
@pytest.mark.parametrize(
    "function", [np.asarray, np.array, lambda x: np.r_[x, x], lambda x: np.concatenate([x, x]), lambda x: np.asarray([x, x]),
                 lambda x: np.where([True, False], x, 0), lambda x: Tensor([x, x])]
)  # fmt: skip
def test_numpy_may_not_lose_a_gradient(function, make):
    x = make(Tensor([1.0, 2.0], requires_grad=True))
    with pytest.raises(GradientError, match=r"x\.detach\(\) or x\.numpy\(\)"):
        function(x)
    np.testing.assert_array_equal(x.detach().numpy(), x.numpy())


def test_one_entry_is_a_python_number():
    x = Tensor([[2.75]], requires_grad=True)
    assert (int(x), float(x), int(Tensor(7)), bool(Tensor([0.0]))) == (2, 2.75, 7, False)
    assert f"{x:.1f} {Tensor(7):3d} {x.sum() * 2:8.3f}|" == "2.8   7    5.500|"
    assert f"{x}" == str(x)
    for broken in (int, float, lambda t: f"{t:.2f}"):
        with pytest.raises(ShapeError, match="one entry"):
            broken(Tensor([1.0, 2.0]))


SAME_NAME = {
    "relu": (), "sigmoid": (), "gelu": (), "exp": (), "log": (), "sqrt": (), "tanh": (), "softmax": (), "log_softmax": (), "sign": (),
    "sum": (), "mean": (), "var": (), "std": (), "prod": (), "max": (), "min": (), "argmax": (), "argmin": (), "cumsum": (),
    "squeeze": (), "flatten": (), "flip": (), "transpose": (), "astype": (np.float64,), "expand_dims": (0,), "repeat": (2,),
    "topk": (1,), "sort": (), "clip": (1.1, 2.2), "broadcast_to": ((2, 2, 3),), "reshape": ((3, 2),), "swapaxes": (0, 1),
}  # fmt: skip
RENAMED = {"abs", "T", "masked_fill"}


def test_every_method_is_the_operation_of_its_name():
    assert {name for name in vars(Operators) if not name.startswith("_")} == set(SAME_NAME) | RENAMED
    x = Tensor(np.linspace(0.5, 3, 6).reshape(2, 3))
    for name, arguments in SAME_NAME.items():
        found, expected = getattr(x, name)(*arguments), getattr(ops, name)(x, *arguments)
        for f, e in zip(*((y if isinstance(y, tuple) else (y,)) for y in (found, expected)), strict=True):
            np.testing.assert_array_equal(f.data, e.data, err_msg=name)
    np.testing.assert_array_equal((-x).abs().data, x.data)
    np.testing.assert_array_equal(x.T.data, x.data.T)
    np.testing.assert_array_equal(x.masked_fill(x.data > 2, 0).data, np.where(x.data > 2, 0, x.data))


def test_a_leaf_shares_memory_until_it_is_cast():
    array = np.arange(3.0)
    x = Tensor(array, requires_grad=True)
    assert np.shares_memory(x.data, array) and np.shares_memory(x.numpy(), array)
    again = Tensor(x)
    assert np.shares_memory(again.data, array) and not again.requires_grad
    assert Tensor(array, dtype="float32").dtype == np.float32 and Tensor(array, dtype=np.float64).dtype == np.float64
    assert Tensor([1, 2]).dtype == np.int64 and Tensor([True]).dtype == bool and Tensor([[1.5]]).dtype == np.float32
    assert x.to("cpu") is x and (x * 2).to("cpu").requires_grad
    for bad in (np.ones(2, complex), np.array(["a"]), np.ones(2, np.float16), object()):
        with pytest.raises((DtypeError, ValueError)):
            Tensor(bad)
    for whole in (np.arange(3), np.array([True])):
        with pytest.raises(DtypeError, match="floats have derivatives"):
            Tensor(whole, requires_grad=True)


@pytest.mark.parametrize("target", ["float32", np.float32, np.dtype("float32")])
def test_another_precision_is_an_operation_and_its_gradient_goes_back(target):
    x = Tensor(np.arange(3.0), requires_grad=True)
    y = x.to(target)
    assert y.dtype == np.float32 and y.requires_grad
    (y * y).sum().backward()
    assert x.grad.dtype == np.float64 and x.grad.tolist() == [0, 2, 4]
    with pytest.raises(ArgumentError, match="device or a dtype"):
        x.to("nowhere")


def test_assign_copies_casts_and_refuses_another_shape():
    x, values = Tensor(np.zeros((2, 3), np.float32), requires_grad=True), np.arange(6.0).reshape(2, 3)
    memory = x.data
    assert x.assign(values) is x and x.data is memory and x.dtype == np.float32
    values[:] = 7
    np.testing.assert_array_equal(x.data, np.arange(6.0).reshape(2, 3))
    x.assign(Tensor(np.ones((2, 3))))
    assert (x.data == 1).all()
    for wrong in (np.ones(3), np.ones((1, 3)), 1.0, np.ones((3, 2)), np.ones((2, 3, 1))):
        with pytest.raises(ShapeError, match="assign"):
            x.assign(wrong)
    with pytest.raises(GradientError, match="leaf"):
        (x * 2).assign(np.ones((2, 3)))
    with pytest.raises(GradientError, match="in place"):
        x[0] = 1.0


@pytest.mark.parametrize(
    "read", [lambda x: x, lambda x: x.detach(), lambda x: x.reshape(-1), lambda x: x[1:], lambda x: x.T, lambda x: x.T[:1].reshape(-1)]
)  # fmt: skip
def test_an_assignment_is_noticed_by_every_graph_that_read_the_memory(read):
    x = Tensor(np.ones((2, 2)), requires_grad=True)
    part = read(x)
    w = Tensor(np.ones(part.shape), requires_grad=True)
    (part * w).sum().backward()
    y = (read(x) * w).sum()
    x.assign(np.full((2, 2), 2.0))
    with pytest.raises(GradientError, match="changed in place 1 time"):
        y.backward()
    (read(x) * w).sum().backward()


def test_gradients_in_between_share_no_memory():
    """Of a sum both parents are given one array; who changes one of the gradients changes no other."""
    x, seed = Tensor(np.ones(3), requires_grad=True), np.arange(3.0)
    a, b = x * 2, x * 3
    y = a + b
    y.backward(seed, retain_graph=True)
    found = [x.grad, a.grad, b.grad, y.grad, seed]
    assert all(not np.shares_memory(p, q) for i, p in enumerate(found) for q in found[:i])
    kept = [g.copy() for g in found[:4]]
    y.backward(seed, retain_graph=True)
    for now, before in zip((x.grad, a.grad, b.grad, y.grad), kept):
        np.testing.assert_array_equal(now, 2 * before)


def test_a_name_that_is_no_dtypes_is_refused_wherever_one_is_given():
    for given in (lambda: Tensor([1.0], dtype="nothing"), lambda: Tensor(np.ones(1), dtype="nothing"),
                  lambda: Tensor([1.0]).astype("nothing"), lambda: nn.LayerNorm(2, dtype="nothing")):  # fmt: skip
        with pytest.raises(DtypeError, match="bfloat16, got 'nothing'"):
            given()
    with pytest.raises(ArgumentError, match="a device or a dtype"):
        Tensor([1.0]).to("nothing")
