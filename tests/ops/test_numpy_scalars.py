"""A NumPy scalar is a number like Python's: as an axis, and as any other number that an operation takes."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.autograd.operators import Operators
from tinygrad_llm.errors import DtypeError, TinygradLLMError

X = np.random.default_rng(2).uniform(0.1, 0.9, (1, 2, 3)).astype(np.float32)
Q = np.random.default_rng(3).normal(size=(1, 2, 3, 4)).astype(np.float32)
TARGETS = np.array([[1, 2]])
WHOLE = (np.int64, np.int32, np.uint8)

TAKES = {  # what an operation needs beside x, and its numbers
    "attention": ((Q, Q, Q), {"scale": 0.3, "softcap": 2.0, "window": 2, "p": 0.5}), "packed_attention": (
        (Q[:, 0],), {"scale": 0.3, "softcap": 2.0, "window": 2, "n_head": 2, "n_kv_head": 1, "p": 0.5}),
    "clip": ((X,), {"low": 0.3, "high": 0.6}), "cross_entropy": (
        (X, TARGETS), {"ignore_index": 2, "label_smoothing": 0.1, "divisor": 2.5}), "dropout": ((X,), {"p": 0.5}),
    "layer_norm": ((X,), {"eps": 0.1}), "rms_norm": ((X,), {"eps": 0.1}), "linear_cross_entropy": (
        (X, X[0], np.array([[1, 0]])), {"ignore_index": 0, "label_smoothing": 0.1, "divisor": 2.5}),
    "masked_fill": ((X, X > 0.5), {"value": 0.5}), "pad": ((X,), {"value": 0.5}), "rope_table": ((np.arange(3), 4), {"base": 100.0}),
    "std": ((X,), {"correction": 1, "axis": 1}), "var": ((X,), {"correction": 1, "axis": 1}), "tril": ((X,), {"k": 1}), "triu": ((X,), {"k": 1}),
    "topk": ((X,), {"k": 2, "axis": 1}), "squeeze": ((X,), {"axis": 0}), "repeat": ((X,), {"repeats": 2, "axis": 1}),
    "concat": (([X, X],), {"axis": 1}), "stack": (([X, X],), {"axis": 1}), "split": ((X, [1, 1]), {"axis": 1}),
    "gather": ((X, np.zeros((1, 2, 3), int)), {"axis": 1}), "swapaxes": ((X,), {"a": 1, "b": 2}), "flatten": ((X,), {"start": 1, "end": 2}),
    "getitem": ((X,), {"index": 0}), "transpose": ((X[0, 0],), {"axes": 0}), "reshape": ((X,), {"shape": 6}),
    "broadcast_to": ((X[0, 0],), {"shape": 3}),
}  # fmt: skip
NEEDS = {
    "pad": {"widths": ((0, 0), (1, 0), (0, 1))}, "packed_attention": {"n_head": 2, "n_kv_head": 1}, "topk": {"k": 2}, "repeat": {"repeats": 2},
}  # fmt: skip
NO_NUMBERS = {
    "descending",
    "keepdims",
    "causal",
    "largest",
    "reduction",
    "approximate",
    "dtype",
    "lengths",
    "rng",
    "cos",
    "sin",
    "widths",
}


def operations():
    return {name: f for name in ops.__all__ if callable(f := getattr(ops, name))}


def numbers_of(name):
    """What an operation takes beside its arrays, by its signature: the options, and what is annotated as a number."""
    found = [p for p in inspect.signature(operations()[name]).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    wanted = {
        p.name
        for p in found
        if (p.default is not p.empty and "Array" not in str(p.annotation)) or p.annotation == "int"
    }
    return wanted - NO_NUMBERS | ({"repeats"} if name == "repeat" else set())


def calls():
    for name in operations():
        args, numbers = TAKES.get(name, ((X,), dict.fromkeys(numbers_of(name) & {"axis"}, 1)))
        for option, number in numbers.items():
            yield pytest.param(name, args, numbers, option, number, id=f"{name}-{option}")


def parts(y):
    return [
        (p.dtype, np.asarray(p.data if isinstance(p, Tensor) else p).tolist())
        for p in (y if isinstance(y, tuple) else (y,))
    ]


def test_every_number_that_an_operation_takes_is_tried():
    tried = {(name, option) for name, _, _, option, _ in (c.values for c in calls())}
    assert tried == {(name, option) for name in operations() for option in numbers_of(name)} - {
        ("rope_table", "head_size")
    }


@pytest.mark.parametrize(("name", "args", "numbers", "option", "number"), list(calls()))
def test_a_numpy_scalar_means_what_pythons_number_means(name, args, numbers, option, number):
    def call(value):
        beside = {"window": {"causal": True}, "p": {"rng": np.random.default_rng(0)}}.get(option, {})
        return parts(operations()[name](*args, **{**NEEDS.get(name, {}), **beside, option: value}))

    kinds = WHOLE if isinstance(number, int) else (np.float64, np.float32)
    for kind in kinds:
        exact = number if kind is not np.float32 else float(np.float32(number))
        assert call(kind(number)) == call(exact)


@pytest.mark.parametrize("name", sorted(n for n in operations() if "axis" in numbers_of(n)))
def test_an_axis_that_is_no_whole_number_is_refused(name):
    for wrong in (0.5, "1", np.float64(1)):
        with pytest.raises(TinygradLLMError):
            operations()[name](*TAKES.get(name, ((X,), {}))[0], **{**NEEDS.get(name, {}), "axis": wrong})


def test_methods_and_numbers_by_position_too():
    x, one = Tensor(X), np.int64(1)
    for name in (
        "sum",
        "mean",
        "var",
        "std",
        "prod",
        "max",
        "min",
        "argmax",
        "argmin",
        "softmax",
        "log_softmax",
        "cumsum",
        "flip",
        "expand_dims",
    ):
        assert parts(getattr(x, name)(one)) == parts(getattr(x, name)(1)), name
        assert parts(getattr(ops, name)(x, one)) == parts(getattr(ops, name)(x, 1)), name
        assert hasattr(Operators, name)
    assert x.max(one).shape == (1, 3) and x.flatten(one).shape == (1, 6) and x.topk(one, one)[0].shape == (1, 1, 3)
    assert x.sum((one, np.uint8(2))).shape == (1,) and x.swapaxes(one, np.int64(2)).shape == (1, 3, 2)
    with pytest.raises(DtypeError, match="axis: expected a whole number"):
        x.flatten(0.5)


def test_integers_padded_with_a_numpy_float_are_float32():
    y = ops.pad(Tensor([1, 2]), ((1, 1),), value=np.float64(0.5))
    assert y.dtype == np.float32 and y.numpy().tolist() == [0.5, 1, 2, 0.5]
