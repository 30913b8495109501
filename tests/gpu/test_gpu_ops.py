"""What training uses, on a GPU, value and gradients, against the same operation on the CPU in float64.

`tests/ops/test_on_gpu.py` has all operations, at small sizes; here are the sizes that models have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pytest
from gpu_bounds import BOUND, assert_near

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import DeviceStream, as_dtype, cuda_ops, to_device
from tinygrad_llm.nn import MLP

pytestmark = pytest.mark.gpu


# ---- what training uses, at sizes that it has -----------------------------------------------------------------------


@dataclass(frozen=True)
class Size:
    """B examples of T positions of width D, and a vocabulary of V."""

    b: int
    t: int
    d: int
    v: int

    @property
    def x(self) -> tuple[int, int, int]:
        return self.b, self.t, self.d


SIZES = {
    "ragged": Size(3, 7, 45, 65),
    "ragged and wide": Size(2, 3, 1027, 65),
    "nanoGPT": Size(16, 256, 384, 65),
    "GPT-2": Size(1, 1024, 768, 50257),
}
"""Widths are the models' own; of rows there are enough for every multiprocessor to have some."""
ON_STANDIN = {
    "nanoGPT": Size(2, 16, 96, 65),
    "GPT-2": Size(1, 12, 64, 1003),
    "ragged and wide": Size(2, 2, 1027, 65),
}


@dataclass(frozen=True)
class Row:
    """call(*tensors) on what make(rng, size) draws. `weights`: which of them stay float32 beside bfloat16 activations.

    roundings: how many times the bound of bfloat16, where numbers are rounded on the way and not only at its end. Of
    softmax, y is what the way back reads: dx = y (g - sum g y) rounds it for itself, in the sum, and then dx.
    half: whether bfloat16 activations come here in training.
    """

    make: Callable
    call: Callable
    weights: tuple[int, ...] = ()
    roundings: int = 1
    half: bool = True


def normal(*shapes: Callable[[Size], tuple], scale: float = 1.0) -> Callable:
    return lambda rng, size: [scale * rng.standard_normal(shape(size)) for shape in shapes]


def stream_of(size: Size) -> tuple:
    return size.x


def width(size: Size) -> tuple:
    return (size.d,)


def pairs(size: Size) -> tuple:
    return size.b, size.t, 2 * (size.d // 2)


def turned(x: Tensor) -> Tensor:
    return ops.rope(x, *ops.rope_table(np.arange(x.shape[1]), x.shape[2]))


def with_ids(*shapes: Callable[[Size], tuple], scale: float = 1.0) -> Callable:
    return lambda rng, size: [*normal(*shapes, scale=scale)(rng, size), rng.integers(0, size.v, (size.b, size.t))]


def with_targets(*shapes: Callable[[Size], tuple], scale: float = 1.0) -> Callable:
    def make(rng, size):
        *arrays, targets = with_ids(*shapes, scale=scale)(rng, size)
        targets[0, ::3] = ops.IGNORE
        return [*arrays, targets]

    return make


def outputs(size: Size) -> tuple:
    return (size.d + 3,)


def matrix(size: Size) -> tuple:
    return size.d + 3, size.d


def vocabulary(size: Size) -> tuple:
    return size.v, size.d


def logits(size: Size) -> tuple:
    return size.b, size.t, size.v


ONE, TWO, NORM = normal(stream_of), normal(stream_of, stream_of), normal(stream_of, width, width)
SHIFTED = normal(stream_of, width)
ROWS = {
    "residual": Row(TWO, lambda x, y: x + y),
    "product": Row(TWO, lambda x, y: x * y),
    "positions": Row(normal(stream_of, lambda s: (s.t + 5, s.d)), lambda x, w: x + w[: x.shape[1]], half=False),
    "cast there and back": Row(ONE, lambda x: x.astype("bfloat16").astype("float32").astype(x.dtype), roundings=2),
    "gelu": Row(ONE, ops.gelu),
    "gelu with tanh": Row(ONE, lambda x: ops.gelu(x, approximate="tanh")),
    "gelu of a sum": Row(SHIFTED, ops.gelu, (1,), 2),  # dL/dx, and the sum of what was rounded
    "gelu of a sum, with tanh": Row(SHIFTED, lambda x, b: ops.gelu(x, b, approximate="tanh"), (1,), 2),
    "silu": Row(ONE, ops.silu),
    "swiglu": Row(TWO, ops.swiglu),
    "softmax": Row(ONE, ops.softmax, roundings=3),
    "softmax over a vocabulary": Row(normal(logits), ops.softmax, roundings=3),
    "log_softmax": Row(ONE, ops.log_softmax, roundings=4),
    "layer_norm": Row(NORM, ops.layer_norm, (1, 2)),
    "layer_norm without a bias": Row(normal(stream_of, width), ops.layer_norm, (1,)),
    "layer_norm without parameters": Row(ONE, ops.layer_norm),
    "rms_norm": Row(normal(stream_of, width), ops.rms_norm, (1,)),
    "linear": Row(normal(stream_of, matrix, outputs), ops.linear, (1, 2), 2),  # before the bias, and after
    "linear without a bias": Row(normal(stream_of, matrix), ops.linear, (1,)),
    "matmul": Row(normal(stream_of, lambda s: (s.b, s.d, s.t)), ops.matmul),
    "rope": Row(normal(pairs), turned),
    "embedding": Row(with_ids(vocabulary), ops.embedding, (0,)),
    "cross_entropy": Row(with_targets(logits), ops.cross_entropy, roundings=2),
    "cross_entropy, smoothed": Row(with_targets(logits), lambda x, t: ops.cross_entropy(x, t, label_smoothing=0.1), roundings=2),
    "cross_entropy, each row": Row(with_targets(logits), lambda x, t: ops.cross_entropy(x, t, reduction="none"), roundings=2),
    "linear_cross_entropy": Row(
        with_targets(stream_of, vocabulary, scale=0.3), lambda x, w, t: ops.linear_cross_entropy(x, w, t, divisor=7), (1,), 8
    ),
    "heads": Row(ONE, lambda x: x.reshape(*x.shape[:2], -1, 1).transpose(0, 2, 1, 3).reshape(x.shape[0], -1)),
    "the last position": Row(ONE, lambda x: x[:, -1]),
    "mean": Row(ONE, lambda x: (x * x).mean(-1), half=False),
    "concat": Row(TWO, lambda x, y: ops.concat([x, y], -1)),
}  # fmt: skip
FEWER_ROWS = {
    "linear_cross_entropy",
    "cross_entropy",
    "cross_entropy, smoothed",
    "cross_entropy, each row",
    "softmax over a vocabulary",
}
"""Rows of a whole vocabulary: float64 on the CPU takes a second for each ten million numbers."""


def results(call: Callable, arrays: list, dtypes: list[str], device: str) -> list[np.ndarray]:
    """The value and every gradient, for the same random gradient of the value."""
    given = [a.astype(as_dtype(own)) if a.dtype.kind == "f" else a for a, own in zip(arrays, dtypes)]
    leaves = [Tensor(a, requires_grad=True).to(device) if a.dtype.kind != "i" and a.dtype != bool else a for a in given]
    out = call(*leaves)
    g = np.random.default_rng(1).standard_normal(out.shape).astype(as_dtype("bfloat16"))
    out.backward(to_device(g.astype(out.dtype), device))
    found = [out.data]
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            assert leaf.grad.dtype == leaf.dtype
            found.append(leaf.grad)
    return [to_device(x, "cpu") for x in found]


def labelled(results: list) -> list[tuple[str, Any]]:
    return list(zip(["value", *(f"gradient {i}" for i in range(len(results) - 1))], results))


EVERY = [
    (name, size, dtype)
    for name, row in ROWS.items()
    for size in SIZES
    for dtype in ("float32", "bfloat16")
    if dtype == "float32" or row.half
]


@cache
def sizes_of(name: str, size: str, on_standin: bool) -> Size:
    """The sizes that an operation is tried at."""
    if on_standin:
        return ON_STANDIN.get(size, SIZES[size])
    if name not in FEWER_ROWS:
        return SIZES[size]
    width = 128 if name == "linear_cross_entropy" else SIZES[size].d  # a product of the test of products
    return replace(SIZES[size], b=1, t=min(SIZES[size].t, 160), d=min(SIZES[size].d, width))


@lru_cache(maxsize=1)
def case(name: str, sizes: Size) -> tuple[list, list[np.ndarray]]:
    """Numbers that bfloat16 holds, so that both sides compute with the very same ones, and what float64 makes of them."""
    drawn = ROWS[name].make(np.random.default_rng(0), sizes)
    arrays = [a.astype(as_dtype("bfloat16")).astype(np.float64) if a.dtype.kind == "f" else a for a in drawn]
    return arrays, results(ROWS[name].call, arrays, ["float64"] * len(arrays), "cpu")


@pytest.mark.parametrize(("name", "size", "dtype"), EVERY)
def test_an_operation_is_the_cpus(name, size, dtype, on_standin, tensor_cores):
    row = ROWS[name]
    arrays, exact = case(name, sizes_of(name, size, on_standin))
    own = ["float32" if i in row.weights else dtype for i in range(len(arrays))]
    found = results(row.call, arrays, own, "cuda")
    bound = BOUND["bfloat16"] * row.roundings if dtype == "bfloat16" or "cast" in name else BOUND["float32"]
    for (label, a), b in zip(labelled(found), exact):
        assert_near(f"{name} {size} {dtype}, {label}", a, b, bound)


# ---- dropout --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 7, 9), (6, 64, 96)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_dropout_drops_what_its_stream_says_there_and_back(dtype, shape, on_standin, tensor_cores):
    shape = (64, 256, 384) if shape[0] == 6 and not on_standin else shape
    p, rng, t = 0.2, np.random.default_rng(0), as_dtype(dtype)
    values, g = (rng.standard_normal(shape).astype(t) for _ in range(2))
    counter = to_device(np.array([12345, 6], np.uint64), "cuda")
    u = to_device(DeviceStream(counter).random(shape), "cpu")
    mask = (u >= p) / (1 - p)
    x = Tensor(values, requires_grad=True).to("cuda")
    y = ops.dropout(x, p=p, rng=DeviceStream(counter))
    y.backward(to_device(g, "cuda"))
    assert_near("value", y.numpy(), values.astype(np.float64) * mask, BOUND[dtype])
    assert_near("gradient", to_device(x.grad, "cpu"), g.astype(np.float64) * mask, BOUND[dtype])
    spread = np.sqrt(p * (1 - p) / u.size)
    assert abs((u < p).mean() - p) < 5 * spread
    tail = ops.dropout(Tensor(values[2:]).to("cuda"), p=p, rng=DeviceStream(counter, first_example=2))
    np.testing.assert_array_equal(tail.numpy(), y.numpy()[2:])
    counter += 1
    again = ops.dropout(x, p=p, rng=DeviceStream(counter)).numpy()
    assert abs(((again == 0) & (u < p)).mean() - p * p) < 5 * np.sqrt(p * p * (1 - p * p) / u.size)  # independent


@pytest.mark.parametrize(("activation", "passes"), [("gelu", 1), ("gelu_new", 1), ("relu", 2)])
def test_an_mlp_goes_over_its_activations_for_no_bias_that_gelu_can_add(activation, passes, cupy, monkeypatch):
    """That of down_proj is left: nothing follows it."""
    layer = MLP(64, rng=np.random.default_rng(0), activation=activation).to("cuda")
    added, add_bias = [], cuda_ops.add_bias
    monkeypatch.setattr(cuda_ops, "add_bias", lambda y, bias: (added.append(bias.shape), add_bias(y, bias)))
    layer(Tensor(np.ones((2, 5, 64), np.float32)).to("cuda"))
    assert added == [(256,), (64,)][2 - passes :]
