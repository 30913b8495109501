"""Bad input to an operation: one typed error that names the operation or the argument, and no silent broadcast."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError, TokenError

F = np.ones((2, 3))
F32 = F.astype(np.float32)
I = np.ones((2, 3), np.int64)
B4 = np.ones((1, 2, 3, 4))
N = np.ones
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
UNARY = ("exp", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tanh", "sigmoid", "erf", "silu", "gelu")
OF_FLOATS = ("silu", "gelu", "softmax", "log_softmax")
REDUCE = ("sum", "mean", "var", "amax", "amin", "logsumexp")

BAD: list[tuple[str, tuple, dict, type]] = [
    *[(op, args, {}, error) for op in BINARY for args, error in (
        ((F, N(4)), ShapeError), ((F, F32), DtypeError), ((F32, F), DtypeError), ((F, N((3, 2))), ShapeError),
        ((F, "a"), DtypeError), ((F, None), DtypeError))],
    *[(op, args, {}, error) for op in UNARY for args, error in (
        ((np.array(["a"]),), DtypeError), (("a",), DtypeError), ((None,), DtypeError), (([1, "b"],), DtypeError))],
    ("add", (N(3, np.uint8), 300), {}, DtypeError),
    *[(op, (I,), {}, DtypeError) for op in OF_FLOATS],
    *[(op, (F,), {"axis": axis}, ShapeError) for op in REDUCE for axis in (2, -3, (0, 0), (0, 5), 17)],
    *[(op, (F,), {"axis": axis}, ShapeError) for op in ("softmax", "log_softmax", "cumsum") for axis in (2, -3, 9, -9, 100)],
    *[(op, (N((2, 0)),), {"axis": 1}, ShapeError) for op in ("softmax", "log_softmax", "max", "min", "amax", "amin", "mean", "logsumexp")],
    ("var", (F,), {"axis": 1, "correction": 3}, ArgumentError),
    ("power", (F, N(4)), {}, ShapeError), ("power", (F, F32), {}, DtypeError), ("power", (F, "a"), {}, DtypeError),
    ("power", (F, None), {}, DtypeError), ("power", (I, -1), {}, ShapeError),
    ("clip", (F,), {}, ArgumentError), ("clip", ("a",), {"low": 1}, DtypeError), ("clip", (F,), {"low": "a"}, DtypeError),
    ("clip", (F,), {"low": N(7)}, ShapeError), ("clip", (None,), {"high": 1}, DtypeError),
    ("where", (N(2, bool), N(3), N(3)), {}, ShapeError), ("where", (N(3, bool), F32, F), {}, DtypeError),
    ("where", (N(3, bool), N(2), N(3)), {}, ShapeError), ("where", (N(4, bool), F, F), {}, ShapeError),
    ("where", (N((9, 9), bool), F, F), {}, ShapeError),
    ("masked_fill", (F, N(2, bool)), {}, ShapeError), ("masked_fill", (F, N(7, bool)), {}, ShapeError),
    ("masked_fill", (F, N((3, 3), bool)), {}, ShapeError), ("masked_fill", ("a", N(3, bool)), {}, DtypeError),
    ("masked_fill", (F, N(3, bool)), {"value": "a"}, ShapeError),
    ("astype", (F,), {"dtype": np.float16}, ArgumentError), ("astype", (F,), {"dtype": "nothing"}, DtypeError),
    ("matmul", (F, F), {}, ShapeError), ("matmul", (F, 2.0), {}, DtypeError), ("matmul", (F, np.array(2.0)), {}, ShapeError),
    ("matmul", (F, N((3, 2), np.float32)), {}, DtypeError), ("matmul", (N((2, 2, 3)), N((3, 3, 2))), {}, ShapeError),
    ("linear", (F, N((4, 2))), {}, ShapeError), ("linear", (F, N(3)), {}, ShapeError), ("linear", (F, N((4, 3)), N(3)), {}, ShapeError),
    ("linear", (F32, N((4, 3))), {}, DtypeError), ("linear", (N(()), N((4, 3))), {}, ShapeError),
    *[("einsum", (s, F, F), {}, ArgumentError) for s in ("ij->ij", "ij,ij,ij->j", "ij,ij->k", "ij,ij->ii", "i1,ij->j", "....ij,ij->j", "", "...i,i...j...->j")],
    ("einsum", (F, F, "ij,ij->"), {}, ArgumentError), ("einsum", ("ij->",), {}, ArgumentError),
    *[("einsum", (s, F, F), {}, ShapeError) for s in ("ijk,ij->k", "ij,jk->ik", "i,ij->j", "...ijk,ij->k", "ii,ij->j")],
    *[("einsum", (s, N(a), N(b)), {}, ShapeError) for s, a, b in (
        ("ij,jk->ik", (2, 1), (3, 4)), ("ij,jk->ik", (2, 3), (1, 4)), ("ij,ij->ij", (1, 3), (2, 3)), ("...i,...i->...", (2, 3), (4, 3)),
        ("ii,i->i", (1, 3), (3,)))],
    *[("reshape", (F,), {"shape": s}, ShapeError) for s in ((4,), (-1, -1), (0,), (5, -1), (2, 2))],
    *[("transpose", (F,), {"axes": a}, ShapeError) for a in ((0,), (0, 0), (0, 2), (0, 1, 2), (-3, 0))],
    *[("swapaxes", (F,), {"a": a, "b": b}, ShapeError) for a, b in ((0, 2), (2, 0), (-3, 0), (5, 5), (0, -4))],
    *[("squeeze", (F,), {"axis": a}, ShapeError) for a in (0, 1, 2, -3, (0, 1))],
    *[("expand_dims", (F,), {"axis": a}, ShapeError) for a in (3, -4, 9, (0, 0), (0, 9))],
    *[("broadcast_to", (F,), {"shape": s}, ShapeError) for s in ((2,), (3, 2), (2, 4), (2, 3, 1), ())],
    *[("flip", (F,), {"axis": a}, ShapeError) for a in (2, -3, (0, 2), 9, (7,))],
    *[("pad", (F,), {"widths": w}, ArgumentError) for w in ((), ((1, 1),), ((1, -1), (0, 0)), ((1,), (1,)), ((1, 1), (1, 1), (1, 1)))],
    *[("concat", (xs,), {"axis": a}, e) for xs, a, e in (
        ([], 0, ArgumentError), ([F, N((2, 4))], 0, ShapeError), ([F, F], 2, ShapeError), ([F, F32], 0, DtypeError), ([F, N(3)], 0, ShapeError))],
    *[("stack", (xs,), {"axis": a}, e) for xs, a, e in (
        ([], 0, ArgumentError), ([F, N((2, 4))], 0, ShapeError), ([F, F], 4, ShapeError), ([F, F32], 0, DtypeError), ([F, N(3)], 0, ShapeError))],
    *[("split", (F, sizes), {"axis": a}, ShapeError) for sizes, a in (([1], 1), ([2, 2], 1), ([4, -1], 1), ([1, 2], 2), ([], 0))],
    *[("getitem", (F,), {"index": i}, ShapeError) for i in (5, (0, 9), (0, 0, 0), np.array([7]), "a")],
    *[("gather", (F, i), {"axis": a}, e) for i, a, e in (
        (F, 1, DtypeError), (np.ones(3, int), 1, ShapeError), (np.full((2, 3), 9), 1, ShapeError), (I, 2, ShapeError), (np.full((2, 3), -9), 0, ShapeError))],
    *[("embedding", (w, i), {}, e) for w, i, e in (
        (F, F, DtypeError), (F, np.array([2]), TokenError), (F, np.array([-1]), TokenError), (N(3), np.array([0]), ShapeError), (F, [0, 1], DtypeError),
        (F, np.array([True, False]), DtypeError))],
    *[(op, (x,), {}, e) for op in ("tril", "triu") for x, e in (("a", DtypeError), (None, DtypeError), (3, DtypeError), ([1], DtypeError), ({}, DtypeError))],
    *[("layer_norm", args, {}, e) for args, e in (
        ((F, N(2)), ShapeError), ((F, None, N(4)), ShapeError), ((F32, N(3)), DtypeError), ((N(()),), ShapeError), ((I,), DtypeError))],
    *[("rms_norm", args, {}, e) for args, e in (
        ((F, N(2)), ShapeError), ((F, N((1, 3))), ShapeError), ((F32, N(3)), DtypeError), ((N(()),), ShapeError), ((I,), DtypeError))],
    *[("dropout", (F,), {"p": p}, ArgumentError) for p in (-0.1, 1.0, 1.5, float("nan"), 100)],
    *[("attention", args, kw, e) for args, kw, e in (
        ((F, F, F), {}, ShapeError), ((B4, B4, N((1, 2, 5, 4))), {}, ShapeError), ((N((1, 3, 3, 4)), B4, B4), {}, ShapeError),
        ((B4, B4, B4, N((9, 9), bool)), {}, ShapeError), ((B4, B4, B4, N((3, 3), np.float32)), {}, DtypeError),
        ((B4, B4, B4), {"p": 1.0}, ArgumentError), ((B4, B4, B4.astype(np.float32)), {}, DtypeError))],
    *[("packed_attention", (x,), {"n_head": h, "n_kv_head": g}, ShapeError) for x, h, g in (
        (F, 1, 1), (N((1, 2, 10)), 2, 2), (N((1, 2, 9)), 3, 2), (N(3), 1, 1), (N((1, 2, 3, 3)), 1, 1))],
    *[("rope", (x,), {"cos": N((3, 2)), "sin": s}, ShapeError) for x, s in (
        (N((3, 5)), N((3, 2))), (N((4, 4)), N((3, 2))), (N((3, 4)), N((3, 3))), (N((3, 6)), N((3, 2))), (N(4), N((3, 2))))],
    *[("cross_entropy", args, kw, e) for args, kw, e in (
        ((F, np.array([0, 3])), {}, TokenError), ((F, np.array([0, -1])), {}, TokenError), ((F, np.array([0])), {}, ShapeError),
        ((F, np.array([[0, 1]])), {}, ShapeError), ((F, N(2)), {}, DtypeError), ((F, [0, 1]), {}, DtypeError),
        ((F, np.array([-100, -100])), {}, ArgumentError), ((F, np.array([0, 1])), {"label_smoothing": 1.01}, ArgumentError),
        ((F, np.array([0, 1])), {"label_smoothing": -0.1}, ArgumentError), ((F, np.array([0, 1])), {"label_smoothing": np.nan}, ArgumentError),
        ((F, np.array([0, 1])), {"reduction": "median"}, ArgumentError), ((F, np.array([0, 1]), N(2)), {}, ShapeError),
        ((F, np.array([0, 1]), N((1, 3))), {}, ShapeError), ((F, np.array([0, 1]), N(3, np.float32)), {}, DtypeError),
        ((F, np.array([0, 1]), np.array([0.0, 0.0, 1.0])), {}, ArgumentError))],
    *[("linear_cross_entropy", args, {}, e) for args, e in (
        ((F, N((4, 2)), np.array([0, 1])), ShapeError), ((F, N((4, 3)), np.array([0, 4])), TokenError),
        ((F, N((4, 3)), np.array([0])), ShapeError), ((F, N((4, 3)), N(2)), DtypeError), ((F32, N((4, 3)), np.array([0, 1])), DtypeError))],
    *[(loss, args, {}, e) for loss in ("mse", "binary_cross_entropy", "kl_divergence") for args, e in (
        ((F, N(3)), ShapeError), ((F, N((2, 1))), ShapeError), ((F, N((1, 2, 3))), ShapeError), ((F, F32), DtypeError), ((N((0, 3)), N((0, 3))), ShapeError),
        ((I, I), DtypeError))],
    ("kl_divergence", (F, F), {"reduction": "none"}, ArgumentError),
    *[("swiglu", args, {}, e) for args, e in (
        ((F, N(4)), ShapeError), ((F, F32), DtypeError), ((I, I), DtypeError), ((F, "a"), DtypeError), ((F, None), DtypeError))],
    *[(name, args, {}, e) for name, k in (("rnn", 1), ("gru", 3), ("lstm", 4)) for args, e in (
        ((F, N((k * 2, 3)), N((k * 2, 2))), ShapeError), ((N((2, 0, 3)), N((k * 2, 3)), N((k * 2, 2))), ShapeError),
        ((N((2, 5, 3)), N((k * 2, 4)), N((k * 2, 2))), ShapeError), ((N((2, 5, 3)), N((k * 2 + 1, 3)), N((k * 2 + 1, 2))), ShapeError),
        ((N((2, 5, 3)), N((k * 2, 3)), N(k * 2)), ShapeError), ((N((2, 5, 3)), N((k * 2, 3)), N((k * 2, 2)), N(1)), ShapeError),
        ((N((2, 5, 3)), N((k * 2, 3)), N((k * 2, 2)), None, N((1, k * 2))), ShapeError),
        ((N((2, 5, 3)), N((k * 2, 3)), N((k * 2, 2)), None, None, N((1, 2))), ShapeError),
        ((N((2, 5, 3), np.float32), N((k * 2, 3)), N((k * 2, 2))), DtypeError), ((N((2, 5, 3)), N((k * 2, 3)), N((k * 2, 2), np.float32)), DtypeError))],
    ("lstm", (N((2, 5, 3)), N((8, 3)), N((8, 2)), None, None, None, N((2, 3))), {}, ShapeError),
    ("gelu", (F,), {"approximate": "erf"}, ArgumentError),
    *[("gelu", (x, b), {"approximate": a}, e) for a in ("none", "tanh") for x, b, e in (
        (F, N(2), ShapeError), (F, N(1), ShapeError), (F, N((1, 3)), ShapeError), (F, N(()), ShapeError), (N(()), N(1), ShapeError),
        (N(()), N(()), ShapeError), (F, N(3, np.float32), DtypeError), (F32, N(3), DtypeError), (I, N(3), DtypeError), (F, N(3, int), DtypeError),
        (I, N(3, int), DtypeError), (N((2, 3), np.int8), N(3, np.float32), DtypeError), (F, "tanh", DtypeError), (F, 1.0, DtypeError))],
    ("rope_table", (np.arange(3), 5), {}, ArgumentError),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "options", "error"), BAD, ids=[f"{b[0]}-{i}" for i, b in enumerate(BAD)])
def test_bad_input_is_one_typed_error(name, args, options, error):
    with np.errstate(all="ignore"), pytest.raises(error) as found:
        getattr(ops, name)(*args, **options)
    assert "expected" in str(found.value) and "got" in str(found.value)


def test_an_error_names_operation_shapes_and_dtypes():
    with pytest.raises(ShapeError, match=r"^add: .*a \(2, 3\) float64; b \(4,\) float32"):
        ops.add(F, N(4, np.float32))
    with pytest.raises(ShapeError, match="Did you shift"):
        ops.cross_entropy(N((2, 8, 5)), np.zeros((2, 7), int))


def test_no_loss_broadcasts_in_silence():
    for loss in (ops.mse, ops.binary_cross_entropy, ops.kl_divergence):
        for shape in ((3,), (2, 1), (1, 3), (), (1, 2, 3)):
            with pytest.raises(ShapeError):
                loss(F, N(shape))
