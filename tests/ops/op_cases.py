"""One table: each operation, inputs that are drawn at random, and what NumPy says it should give."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_llm import ops

SIDE = 3


def small(unique: bool = False, positive: bool = False, low: int = -3, high: int = 3):
    """Whole numbers as floats: they shrink to something that can be read."""
    elements = st.integers(1 if positive else low, high).map(float)
    if unique:
        # different entries, none zero: no corner and no tie within reach of a difference quotient
        elements = st.integers(-40, 40).filter(bool).map(lambda i: i / 4)
    return elements


def array(draw, shape, **kinds):
    return draw(hnp.arrays(np.float64, shape, elements=small(**kinds), unique=kinds.get("unique", False)))


def shapes(min_dims=0, max_dims=3, min_side=1):
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=SIDE)


@dataclass(frozen=True)
class Case:
    """inputs(draw) gives the arrays and options; expected(*arrays, **options) the value, from NumPy alone."""

    name: str
    inputs: Callable
    expected: Callable
    call: Callable | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def op(self) -> Callable:
        return self.call or getattr(ops, self.name)


def one(**kinds):
    return lambda draw: ([array(draw, draw(shapes()), **kinds)], {})


def one_with_axis(min_dims=1, **kinds):
    def inputs(draw):
        x = array(draw, draw(shapes(min_dims)), **kinds)
        return [x], {"axis": draw(st.integers(-x.ndim, x.ndim - 1))}

    return inputs


def reduced(**kinds):
    def inputs(draw):
        x = array(draw, draw(shapes(1)), **kinds)
        axis = draw(st.none() | st.integers(-x.ndim, x.ndim - 1) | st.just(tuple(range(x.ndim))))
        return [x], {"axis": axis, "keepdims": draw(st.booleans())}

    return inputs


def two(first=None, second=None):
    def inputs(draw):
        both = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=SIDE)).input_shapes
        a = array(draw, both[0], **(first or {}))
        return [a, array(draw, both[1], **(second or {}))], {}

    return inputs


def apart(draw):
    """Two arrays of which no entries meet: halves against quarters."""
    (a, b), _ = two()(draw)
    return [a, b + 0.25], {}


def matrices(draw):
    n, i, o = (draw(st.integers(1, SIDE)) for _ in range(3))
    batch = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=2)).input_shapes
    left = (i,) if draw(st.booleans()) else (*batch[0], n, i)
    right = (i,) if draw(st.booleans()) else (*batch[1], i, o)
    return [array(draw, left), array(draw, right)], {}


def sizes(draw, count):
    return [draw(st.integers(1, SIDE)) for _ in range(count)]


def linear_inputs(draw):
    n, i, o = sizes(draw, 3)
    return [array(draw, (2, n, i)), array(draw, (o, i)), array(draw, (o,))], {}


def biased(draw):
    n, d = sizes(draw, 2)
    return [array(draw, (2, n, d)), array(draw, (d,))], {}


def shifted(function):
    """Of x + b, where b has just the width of x."""

    def expected(x, b, **options):
        if b.shape != x.shape[-1:]:
            raise ValueError("a bias is not broadcast")
        return function(x + b, **options)

    return expected


def joint_inputs(draw):
    n, i, a, b = sizes(draw, 4)
    return [array(draw, (2, n, i)), array(draw, (a, i)), array(draw, (b, i)), array(draw, (a,)), array(draw, (b,))], {}


def grouped_inputs(draw):
    n, m, i, o = sizes(draw, 4)
    starts = np.array([0, n, n + m])
    return [array(draw, (n + m, i)), array(draw, (o, i)), array(draw, (o, i))], {"starts": starts}


def grouped_expected(x, w, v, starts):
    return np.concatenate([x[: starts[1]] @ w.T, x[starts[1] :] @ v.T])


def norm_inputs(draw, count):
    n, d = draw(st.integers(1, SIDE)), draw(st.integers(2, SIDE))
    x = array(draw, (n, d)) + np.linspace(0, 0.7, d)  # rows that are not constant
    return [x, *(array(draw, (d,)) for _ in range(count))], {}


def attention_inputs(draw):
    groups, repeats, t, s, k = sizes(draw, 5)
    q = array(draw, (1, groups * repeats, t, k))
    kv = [array(draw, (1, groups, s, k)) for _ in range(2)]
    return [q, *kv], {"causal": draw(st.booleans()), "scale": draw(st.none() | st.just(0.5))}


def attention_expected(q, k, v, causal=False, scale=None):
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], axis=1) for x in (k, v))
    scores = np.einsum("bhtk,bhsk->bhts", q, k) * (q.shape[-1] ** -0.5 if scale is None else scale)
    out = np.zeros_like(q)
    t, s = scores.shape[-2:]
    for row in range(t):
        seen = max(0, row + s - t + 1) if causal else s
        if seen:
            weights = np.exp(scores[:, :, row, :seen])
            weights /= weights.sum(-1, keepdims=True)
            out[:, :, row] = np.einsum("bhs,bhsk->bhk", weights, v[:, :, :seen])
    return out


def packed_inputs(draw):
    groups, repeats, t, k = sizes(draw, 4)
    heads = groups * repeats
    return [array(draw, (2, t, (heads + 2 * groups) * k))], {"n_head": heads, "n_kv_head": groups}


def packed_expected(qkv, n_head, n_kv_head):
    b, t, width = qkv.shape
    k = width // (n_head + 2 * n_kv_head)
    heads = qkv.reshape(b, t, -1, k).transpose(0, 2, 1, 3)
    q, key, v = np.split(heads, [n_head, n_head + n_kv_head], axis=1)
    return attention_expected(q, key, v, causal=True).transpose(0, 2, 1, 3).reshape(b, t, n_head * k)


def recurrent_inputs(draw, gates):
    b, t, i, f = sizes(draw, 4)
    shapes = [
        (b, t, i),
        (gates * f, i),
        (gates * f, f),
        (gates * f,),
        (gates * f,),
        *[(b, f)] * (2 if gates == 4 else 1),
    ]
    return [array(draw, shape, low=-1, high=1) for shape in shapes], {}


def rnn_expected(x, w_ih, w_hh, b_ih, b_hh, h):
    states = []
    for x_t in x.swapaxes(0, 1):
        h = np.tanh(x_t @ w_ih.T + h @ w_hh.T + b_ih + b_hh)
        states.append(h)
    return np.stack(states, 1)


def gru_expected(x, w_ih, w_hh, b_ih, b_hh, h):
    states = []
    for x_t in x.swapaxes(0, 1):
        (r, z, n), (hr, hz, hn) = (np.split(v, 3, axis=1) for v in (x_t @ w_ih.T + b_ih, h @ w_hh.T + b_hh))
        z = sigmoid(z + hz)
        h = (1 - z) * np.tanh(n + sigmoid(r + hr) * hn) + z * h
        states.append(h)
    return np.stack(states, 1)


def lstm_expected(x, w_ih, w_hh, b_ih, b_hh, h, c):
    states = []
    for x_t in x.swapaxes(0, 1):
        i, f, g, o = np.split(x_t @ w_ih.T + h @ w_hh.T + b_ih + b_hh, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append([h, c])
    return np.array(states).transpose(1, 2, 0, 3)


def class_inputs(draw):
    n, c = draw(st.integers(1, SIDE)), draw(st.integers(2, SIDE))
    targets = draw(hnp.arrays(np.int64, n, elements=st.sampled_from([*range(c), -100])))
    targets[0] = 0
    options = {"label_smoothing": draw(st.sampled_from([0.0, 0.1, 1.0]))}
    return [array(draw, (n, c)), targets], options


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def cross_entropy(x, targets, label_smoothing=0.0):
    logp, e = log_softmax(x), label_smoothing
    losses = [-(1 - e) * row[t] - e * row.mean() for row, t in zip(logp, targets) if t != -100]
    return np.array(sum(losses) / len(losses))


def head_inputs(draw):
    (x, targets), options = class_inputs(draw)
    d = draw(st.integers(1, SIDE))
    return [array(draw, (len(x), d)), array(draw, (x.shape[1], d)), targets], options


def pair(draw):
    shape = draw(shapes(1))
    return [array(draw, shape), array(draw, shape)], {}


def bce_inputs(draw):
    (x, t), _ = pair(draw)
    return [x, np.abs(t) / 3], {}


def kl_inputs(draw):
    shape = draw(shapes(1))
    return [log_softmax(array(draw, shape)), log_softmax(array(draw, shape))], {}


def rope_inputs(draw):
    t, half = sizes(draw, 2)
    angles = array(draw, (t, half))
    return [array(draw, (2, t, 2 * half))], {"cos": np.cos(angles), "sin": np.sin(angles)}


def rope_expected(x, cos, sin):
    half = x.shape[-1] // 2
    z = (x[..., :half] + 1j * x[..., half:]) * (cos + 1j * sin)  # a turn is a product of complex numbers
    return np.concatenate([z.real, z.imag], -1)


def index_inputs(draw):
    x = array(draw, draw(shapes(1)))
    index = draw(
        hnp.basic_indices(x.shape, allow_newaxis=True)
        | hnp.arrays(np.int64, draw(shapes(1, 2)), elements=st.integers(-x.shape[0], x.shape[0] - 1))
    )
    return [x], {"index": index}


def gather_inputs(draw):
    x = array(draw, draw(shapes(1)))
    axis = draw(st.integers(0, x.ndim - 1))
    shape = list(x.shape)
    shape[axis] = draw(st.integers(1, 4))
    return [x, draw(hnp.arrays(np.int64, tuple(shape), elements=st.integers(0, x.shape[axis] - 1)))], {"axis": axis}


def embedding_inputs(draw):
    v, d = sizes(draw, 2)
    return [array(draw, (v, d)), draw(hnp.arrays(np.int64, draw(shapes(0, 2)), elements=st.integers(0, v - 1)))], {}


def where_inputs(draw):
    three = draw(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=2, max_side=SIDE)).input_shapes
    return [draw(hnp.arrays(bool, three[0])), array(draw, three[1]), array(draw, three[2])], {}


def mask_inputs(draw):
    x = array(draw, draw(shapes()))
    return [x, draw(hnp.arrays(bool, x.shape))], {"value": 7.0}


def joined(draw):
    shape = draw(shapes(1))
    return [array(draw, shape) for _ in range(draw(st.integers(1, 3)))], {"axis": draw(st.integers(0, len(shape) - 1))}


def pad_inputs(draw):
    x = array(draw, draw(shapes(1)))
    return [x], {"widths": [tuple(draw(st.integers(0, 2)) for _ in range(2)) for _ in x.shape], "value": 5.0}


def transposed(draw):
    x = array(draw, draw(shapes()))
    return [x], {"axes": draw(st.none() | st.permutations(range(x.ndim)).map(tuple))}


def reshaped(draw):
    x = array(draw, draw(shapes()))
    return [x], {"shape": draw(st.sampled_from([(-1,), (x.size,), (1, x.size), (*x.shape, 1)]))}


def stretched(draw):
    pairs = hnp.mutually_broadcastable_shapes(num_shapes=1, base_shape=(3, 2), min_dims=0, max_dims=2, max_side=3)
    shape = draw(pairs).input_shapes[0]
    return [array(draw, shape)], {"shape": np.broadcast_shapes(shape, (3, 2))}


def squeezed(draw):
    x = array(draw, (1, *draw(shapes())))
    return [x], {"axis": 0}


def between_steps(draw):
    """Dividends a tenth beside whole numbers, divisors in quarters: no quotient is a whole number."""
    (a, b), _ = two(second={"unique": True})(draw)
    return [a + 0.1, b], {}


def repeated(draw):
    x = array(draw, draw(shapes(1)))
    axis = draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    size = x.size if axis is None else x.shape[axis]
    return [x], {
        "axis": axis,
        "repeats": draw(st.integers(0, 3) | st.lists(st.integers(0, 2), min_size=size, max_size=size)),
    }


def sorted_inputs(draw):
    (x,), options = one_with_axis(unique=True)(draw)
    return [x], options | {"descending": draw(st.booleans())}


def largest_inputs(draw):
    (x,), options = one_with_axis(unique=True)(draw)
    k = draw(st.integers(0, x.shape[options["axis"]]))
    return [x], options | {"k": k, "largest": draw(st.booleans())}


def largest_expected(x, k, axis, largest):
    ordered = np.sort(x, axis)
    return np.take(np.flip(ordered, axis) if largest else ordered, np.arange(k), axis)


def flattened(draw):
    x = array(draw, draw(shapes()))
    start = draw(st.integers(0, max(0, x.ndim - 1)))
    return [x], {"start": start, "end": draw(st.integers(start, max(0, x.ndim - 1))) - max(1, x.ndim)}


def triangle(draw):
    return [array(draw, draw(shapes(2)))], {"k": draw(st.integers(-2, 2))}


EQUATIONS = [
    "ij,jk->ik", "bij,bkj->bik", "ij,ij->", "i,j->ij", "ijk,k->ij", "ij,k->jk", "ij,j->i", "ij->ji", "ij->", "ii->", "ii->i",
    "iji->j", "ij,jk,kb->ib", "ii,ij,jj->j", "ji", "ij,jk", "ii", "...i,...i->...", "...ij,jk", "b...,...", "...ii->...i",
    "i...->...",
]  # fmt: skip


def einsum_inputs(draw):
    subscripts = draw(st.sampled_from(EQUATIONS))
    size = {letter: draw(st.integers(1, SIDE)) for letter in "bijk"}
    arrays = []
    for part in subscripts.split("->")[0].split(","):
        dots = tuple(draw(st.sampled_from([(), (2,), (3, 1), (1, 2), (3, 2)])) if "..." in part else ())
        before, _, after = part.partition("...")
        arrays.append(array(draw, (*(size[c] for c in before), *dots, *(size[c] for c in after))))
    return arrays, {"subscripts": subscripts}


def normalised(x, eps):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps)


erf = np.vectorize(math.erf, otypes=[float])
sigmoid = lambda x: 1 / (1 + np.exp(-x))
POSITIVE = {"positive": True}

CASES = [
    Case("add", two(), np.add), Case("subtract", two(), np.subtract), Case("multiply", two(), np.multiply),
    Case("divide", two(second={"unique": True}), np.divide), Case("power", two(POSITIVE), np.power),
    Case("remainder", between_steps, np.mod), Case("sign", one(unique=True), np.sign),
    Case("std", reduced(unique=True), np.std), Case("prod", reduced(), np.prod),
    Case("repeat", repeated, np.repeat),
    Case("sort", sorted_inputs, lambda x, axis, descending: np.flip(np.sort(x, axis), axis) if descending else np.sort(x, axis),
         call=lambda x, **options: ops.sort(x, **options)[0]),
    Case("topk", largest_inputs, largest_expected, call=lambda x, **options: ops.topk(x, **options)[0]),
    Case("flatten", flattened, lambda x, start, end: x.reshape(
        *x.shape[:start], -1, *x.shape[end % x.ndim + 1 :]) if x.ndim else x.reshape(1)),
    Case("negative", one(), np.negative), Case("absolute", one(unique=True), np.abs), Case("exp", one(), np.exp),
    Case("log", one(positive=True), np.log), Case("log1p", one(positive=True), np.log1p),
    Case("sqrt", one(positive=True), np.sqrt), Case("rsqrt", one(positive=True), lambda x: x**-0.5),
    Case("sin", one(), np.sin), Case("cos", one(), np.cos), Case("tanh", one(), np.tanh),
    Case("sigmoid", one(), sigmoid), Case("erf", one(), erf), Case("relu", one(unique=True), lambda x: x * (x > 0)),
    Case("log_sigmoid", one(), lambda x: np.log(sigmoid(x))), Case("softplus", one(), lambda x: np.log(1 + np.exp(x))),
    Case("silu", one(), lambda x: x * sigmoid(x)), Case("gelu", one(), lambda x: x * (1 + erf(x / 2**0.5)) / 2),
    Case("gelu", one(), lambda x, approximate: x * sigmoid(2 * (2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)),
         options={"approximate": "tanh"}),
    Case("gelu", biased, shifted(lambda u: u * (1 + erf(u / 2**0.5)) / 2)),
    Case("gelu", biased, shifted(lambda u, approximate: u * sigmoid(2 * (2 / np.pi) ** 0.5 * (u + 0.044715 * u**3))),
         options={"approximate": "tanh"}),
    Case("swiglu", pair, lambda a, b: a * sigmoid(a) * b),
    Case("maximum", apart, np.maximum), Case("minimum", apart, np.minimum),
    Case("clip", one(unique=True), lambda x, low, high: np.clip(x, low, high), options={"low": -1.1, "high": 2.3}),
    Case("where", where_inputs, np.where), Case("masked_fill", mask_inputs, lambda x, m, value: np.where(m, value, x)),
    Case("sum", reduced(), np.sum), Case("mean", reduced(), np.mean), Case("var", reduced(), np.var),
    Case("max", reduced(unique=True), np.max), Case("min", reduced(unique=True), np.min),
    Case("amax", reduced(unique=True), np.max), Case("amin", reduced(unique=True), np.min),
    Case("logsumexp", reduced(), lambda x, axis, keepdims: np.log(np.exp(x).sum(axis, keepdims=keepdims))),
    Case("cumsum", one_with_axis(), np.cumsum), Case("matmul", matrices, np.matmul),
    Case("einsum", einsum_inputs, lambda *xs, subscripts: np.einsum(subscripts, *xs),
         call=lambda *xs, subscripts: ops.einsum(subscripts, *xs)),
    Case("linear", linear_inputs, lambda x, w, b: x @ w.T + b),
    Case("joint_linear", joint_inputs,
         lambda x, w, v, b, c: np.concatenate([x @ w.T + b, x @ v.T + c], -1)),
    Case("grouped_linear", grouped_inputs, grouped_expected),
    Case("reshape", reshaped, lambda x, shape: x.reshape(shape)), Case("transpose", transposed, np.transpose),
    Case("swapaxes", one_with_axis(), lambda x, a, b: np.swapaxes(x, a, b),
         call=lambda x, axis: ops.swapaxes(x, a=axis, b=0)),
    Case("expand_dims", one_with_axis(), np.expand_dims), Case("squeeze", squeezed, np.squeeze),
    Case("broadcast_to", stretched, np.broadcast_to), Case("flip", one_with_axis(), np.flip),
    Case("concat", joined, lambda *xs, axis: np.concatenate(xs, axis), call=lambda *xs, axis: ops.concat(xs, axis)),
    Case("stack", joined, lambda *xs, axis: np.stack(xs, axis), call=lambda *xs, axis: ops.stack(xs, axis)),
    Case("split", one_with_axis(), lambda x, axis: np.take(x, [0], axis),
         call=lambda x, axis: ops.split(x, [1, x.shape[axis] - 1], axis)[0]),
    Case("pad", pad_inputs, lambda x, widths, value: np.pad(x, widths, constant_values=value)),
    Case("getitem", index_inputs, lambda x, index: x[index]),
    Case("gather", gather_inputs, lambda x, i, axis: np.take_along_axis(x, i, axis)),
    Case("embedding", embedding_inputs, lambda w, i: w[i]), Case("tril", triangle, np.tril), Case("triu", triangle, np.triu),
    Case("softmax", one_with_axis(), lambda x, axis: np.exp(x) / np.exp(x).sum(axis, keepdims=True)),
    Case("log_softmax", one_with_axis(), lambda x, axis: x - np.log(np.exp(x).sum(axis, keepdims=True))),
    Case("layer_norm", lambda draw: norm_inputs(draw, 2), lambda x, w, b: normalised(x, 1e-5) * w + b),
    Case("rms_norm", lambda draw: norm_inputs(draw, 1), lambda x, w: x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * w),
    Case("attention", attention_inputs, attention_expected), Case("packed_attention", packed_inputs, packed_expected),
    Case("rnn", lambda draw: recurrent_inputs(draw, 1), rnn_expected),
    Case("gru", lambda draw: recurrent_inputs(draw, 3), gru_expected),
    Case("lstm", lambda draw: recurrent_inputs(draw, 4), lstm_expected),
    Case("rope", rope_inputs, rope_expected), Case("cross_entropy", class_inputs, cross_entropy),
    Case("linear_cross_entropy", head_inputs, lambda x, w, t, label_smoothing: cross_entropy(x @ w.T, t, label_smoothing)),
    Case("mse", pair, lambda a, b: ((a - b) ** 2).mean()),
    Case("binary_cross_entropy", bce_inputs, lambda x, t: (np.logaddexp(0, x) - x * t).mean()),
    Case("kl_divergence", kl_inputs, lambda p, q: (np.exp(p) * (p - q)).sum(-1).mean()),
    Case("astype", one(), lambda x, dtype: x, options={"dtype": np.float64}),
]  # fmt: skip
