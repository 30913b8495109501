"""Claims about the tensor itself: how it meets NumPy and Python, and that its methods are the operations."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.autograd.operators import Operators
from tinygrad_llm.errors import GradientError, ShapeError


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
