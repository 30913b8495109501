"""Claims about @op: which parameters are parents, what becomes of integers, and what is refused when it is defined."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, op
from tinygrad_llm.errors import ArgumentError, DtypeError

SOURCE = """
{future}
from typing import Annotated, Optional
import numpy as np
from numpy.typing import NDArray
from tinygrad_llm.autograd import Tensor, op
from tinygrad_llm.backend import Array, HostArray

class ArrayShape(tuple):
    "Array and HostArray stand in the name, and it is none."

MaybeArray = Array | None

@op
def scaled(x, weight: {annotation} = None, dtype="Array"):
    factor = 1 if weight is None else weight
    return x * factor, lambda g, needs: (g * factor, g * x)
"""
PARENTS = ["Array", "Array | None", "MaybeArray", "Optional[Array]", "'Array | None'", "np.ndarray", "Tensor | None",
           "NDArray[np.float32]", "Annotated[Array, 'the gain']", "None | HostArray"]  # fmt: skip
OPTIONS = ["ArrayShape", "ArrayShape | None", "'ArrayShape'", "str", "float | None", "list[Array]", "object"]


@pytest.mark.parametrize("future", ["", "from __future__ import annotations"])
@pytest.mark.parametrize("annotation", PARENTS + OPTIONS)
def test_an_annotation_says_what_is_a_parent_and_not_how_it_is_spelled(annotation, future):
    module: dict = {}
    exec(SOURCE.format(future=future, annotation=annotation), module)
    x, weight = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    if annotation in PARENTS:
        module["scaled"](x, weight).sum().backward()
        assert x.grad.tolist() == [3.0, 4.0] and weight.grad.tolist() == [1.0, 2.0]
        x.grad = None
        module["scaled"](x, weight=weight).sum().backward()
        assert x.grad.tolist() == [3.0, 4.0]
    else:
        module["scaled"](x, 2.0).sum().backward()  # an option is handed on as it is
        assert x.grad.tolist() == [2.0, 2.0]
        with pytest.raises(DtypeError):
            module["scaled"](x, weight)


def test_parameters_without_a_default_are_parents_and_the_others_are_not():
    @op
    def product(a, b, factor=1.0):
        return a * b * factor, lambda g, needs: (g * b * factor, g * a * factor)

    a, b = Tensor([2.0], requires_grad=True), Tensor([3.0], requires_grad=True)
    product(a, b, 10.0).backward()
    assert (a.grad.item(), b.grad.item()) == (30.0, 20.0)


def test_no_option_changes_the_rules_by_its_name():
    @op
    def leaky(x, dtype=np.float64):
        return x.astype(dtype), lambda g, needs: g

    @op(casts=True)
    def cast(x, target=np.float64):
        return x.astype(target), lambda g, needs: g.astype(x.dtype)

    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(DtypeError, match="leaky"):
        leaky(x)
    assert leaky(x, dtype=np.float32).dtype == np.float32
    cast(x).backward(np.ones(1))
    assert cast(x).dtype == np.float64 and x.grad.dtype == np.float32


def test_what_cannot_be_an_operation_is_refused_when_it_is_defined_or_called():
    with pytest.raises(ArgumentError, match="arrays, then options"):

        @op
        def late(x, axis=0, weight: np.ndarray | None = None):
            return x, None

    with pytest.raises(ArgumentError, match="Missing"):

        @op
        def unknown(x: Missing):  # noqa: F821
            return x, None

    with pytest.raises(ArgumentError, match="arrays, then options"):

        @op
        def nothing(axis=0):
            return axis, None

    @op
    def single(x):
        return x

    @op
    def number(x):
        return 3, None

    for broken in (single, number):
        with pytest.raises(DtypeError, match=broken.__name__):
            broken(Tensor([1.0, 2.0, 3.0]))


KINDS = [np.bool_, np.uint8, np.int32, np.int64, np.float32, np.float64]
BINARY = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "pow"}


@pytest.mark.oracle
@pytest.mark.parametrize("name", BINARY)
def test_integers_are_promoted_as_pytorch_promotes_them(name):
    import torch

    arrays = [np.array([1, 0, 1]).astype(kind) for kind in KINDS]
    pairs = [*itertools.product(arrays, arrays), *itertools.product(arrays, [2, 0.5, True])]
    pairs += [(b, a) for a, b in pairs if not hasattr(b, "dtype")]
    compared = 0
    for a, b in pairs:
        floats = {x.dtype for x in (a, b) if hasattr(x, "dtype") and x.dtype.kind == "f"}
        theirs = [torch.tensor(x) if hasattr(x, "dtype") else x for x in (a, b)]
        try:
            with np.errstate(all="ignore"):
                expected = getattr(torch, BINARY[name])(*theirs)
        except (RuntimeError, TypeError):
            continue  # booleans minus booleans, and numbers on both sides
        if len(floats) > 1 or (name == "power" and a is True):
            continue
        with np.errstate(all="ignore"):
            found = getattr(ops, name)(a, b)
        if expected.dtype == torch.bool or (name == "power" and found.dtype.kind != "f"):
            continue  # NumPy's powers of booleans are int8, PyTorch's are booleans
        assert str(found.dtype) == str(expected.dtype).removeprefix("torch."), (a, b)
        np.testing.assert_allclose(found.data, expected.numpy(), rtol=1e-6)
        compared += 1
    assert compared >= 25


def test_integers_become_floats_beside_a_float_and_stay_beside_an_integer():
    i = Tensor([1, 2, 3])
    for y in (
        i * 0.5,
        0.5 * i,
        i / 2,
        i + np.float64(0.5),
        i**0.5,
        i.mean(),
        i.var(),
        ops.exp(i),
        ops.where(i > 1, i, 0.5),
    ):
        assert y.dtype == np.float32, y
    for y in (i * 2, i + True, i**2, i.sum(), ops.maximum(i, 2), ops.where(i > 1, i, 0), ops.concat([i, i])):
        assert y.dtype == np.int64, y
    assert i.mean().item() == 2.0 and (i * 0.5).data.tolist() == [0.5, 1.0, 1.5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int32, np.int64])
def test_a_float_beside_integers_keeps_its_dtype_and_gets_its_gradient(dtype, kind):
    x, i = Tensor(np.array([1.5, -2.0]).astype(dtype), requires_grad=True), Tensor(np.array([1, 0]).astype(kind))
    assert (x > i).dtype == bool
    for y in (x * i, i + x, x - i, i - x, x**i, ops.maximum(x, i), ops.concat([i, x]), ops.where(x > 0, x, i), i / x):
        assert y.dtype == dtype
        y.sum().backward()
        assert x.grad.dtype == dtype
    x.grad = None
    (x * i).sum().backward()
    assert x.grad.tolist() == [1.0, 0.0]


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["exp", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tanh", "sigmoid", "erf"])
@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int64])
def test_functions_of_integers_are_pytorchs_float32(name, kind):
    import torch

    x = np.array([1, 3, 0 if kind is np.bool_ else 2]).astype(kind)
    with np.errstate(divide="ignore"):
        found = getattr(ops, name)(x)
    expected = getattr(torch, name)(torch.tensor(x))
    assert found.dtype == np.float32 and expected.dtype == torch.float32
    np.testing.assert_allclose(found.data, expected.numpy(), rtol=1e-6)
