"""Where there is nothing to compute with: no examples, no queries, no keys. Results are empty, gradients empty or 0."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor

RNG = np.random.default_rng(11)
N = lambda *shape: RNG.uniform(0.1, 0.9, shape)

OF_A_BATCH = {  # the arguments for a batch of B examples, then what is not differentiated
    **{name: lambda b: ([N(b, 3)], {}) for name in (
        "absolute", "cos", "erf", "exp", "gelu", "log", "log1p", "log_sigmoid", "log_softmax", "logsumexp", "negative", "relu",
        "rsqrt", "sigmoid", "sign", "silu", "sin", "softmax", "softplus", "sqrt", "tanh", "layer_norm", "rms_norm", "sort", "cumsum")},
    **{name: lambda b: ([N(b, 3), N(b, 3)], {}) for name in (
        "add", "subtract", "multiply", "divide", "power", "remainder", "maximum", "minimum", "swiglu")},
    **{name: lambda b: ([N(b, 3)], {"axis": -1}) for name in ("sum", "mean", "var", "std", "prod", "max", "min", "amax", "amin")},
    "layer_norm ": lambda b: ([N(b, 3), N(3), N(3)], {}), "rms_norm ": lambda b: ([N(b, 3), N(3)], {}),
    "linear": lambda b: ([N(b, 2, 3), N(4, 3), N(4)], {}), "joint_linear": lambda b: ([N(b, 2, 3), N(4, 3), N(2, 3), N(4), N(2)], {}),
    "grouped_linear": lambda b: ([N(b, 3), N(4, 3), N(4, 3)], {"starts": np.array([0, b // 2, b])}),
    "matmul": lambda b: ([N(b, 2, 3), N(3, 4)], {}), "matmul ": lambda b: ([N(b, 2, 3), N(b, 3, 4)], {}),
    "einsum": lambda b: ([N(b, 2, 3), N(3, 4)], {"subscripts": "bij,jk->bik"}),
    "clip": lambda b: ([N(b, 3)], {"low": 0.5}), "masked_fill": lambda b: ([N(b, 3), np.ones((b, 3), bool)], {}),
    "where": lambda b: ([np.ones((b, 3), bool), N(b, 3), N(b, 3)], {}), "dropout": lambda b: ([N(b, 3)], {"rng": np.random.default_rng(0)}),
    "astype": lambda b: ([N(b, 3)], {"dtype": np.float32}), "pad": lambda b: ([N(b, 3)], {"widths": ((0, 0), (1, 1))}),
    "getitem": lambda b: ([N(b, 3)], {"index": (slice(None), [2, 0])}), "tril": lambda b: ([N(b, 3, 3)], {}), "triu": lambda b: ([N(b, 3, 3)], {}),
    "flip": lambda b: ([N(b, 3)], {"axis": 1}), "repeat": lambda b: ([N(b, 3)], {"repeats": 2, "axis": 1}),
    "topk": lambda b: ([N(b, 3)], {"k": 2}), "flatten": lambda b: ([N(b, 3, 2)], {"start": 1}), "reshape": lambda b: ([N(b, 3, 2)], {"shape": (b, 6)}),
    "transpose": lambda b: ([N(b, 3, 2)], {"axes": (0, 2, 1)}), "swapaxes": lambda b: ([N(b, 3, 2)], {}), "squeeze": lambda b: ([N(b, 1, 2)], {"axis": 1}),
    "expand_dims": lambda b: ([N(b, 3)], {"axis": 1}), "broadcast_to": lambda b: ([N(1, 3)], {"shape": (b, 3)}),
    "concat": lambda b: ([N(b, 3), N(b, 2)], {"axis": 1}), "stack": lambda b: ([N(b, 3), N(b, 3)], {"axis": 1}),
    "split": lambda b: ([N(b, 3)], {"sizes": [1, 2]}), "gather": lambda b: ([N(b, 3), np.zeros((b, 2), int)], {}),
    "embedding": lambda b: ([N(4, 3), np.zeros((b, 2), int)], {}), "embedding ": lambda b: ([N(400, 3), np.zeros((b, 2), int)], {}),
    "rope": lambda b: ([N(b, 3, 4)], {"cos": np.ones((3, 2)), "sin": np.ones((3, 2))}),
    "attention": lambda b: ([N(b, 4, 3, 2), N(b, 2, 3, 2), N(b, 2, 3, 2), N(b, 1, 3, 3)], {"causal": True}),
    "attention ": lambda b: ([N(b, 4, 3, 2), N(b, 2, 3, 2), N(b, 2, 3, 2)], {"lengths": [3] * b, "softcap": 2.0}),
    "packed_attention": lambda b: ([N(b, 3, 8)], {"n_head": 2, "n_kv_head": 1}),
    **{name: lambda b, k=k: ([N(b, 3, 2), N(4 * k, 2), N(4 * k, 4), N(4 * k), N(4 * k), *[N(b, 4)] * (1 + (k == 4))], {})
       for name, k in (("rnn", 1), ("gru", 3), ("lstm", 4))},
    "cross_entropy": lambda b: ([N(b, 3), np.zeros(b, int)], {"divisor": 1.0}),
    "cross_entropy ": lambda b: ([N(b, 3), np.zeros(b, int), np.ones(3)], {"reduction": "none", "label_smoothing": 0.1}),
    "linear_cross_entropy": lambda b: ([N(b, 3), N(4, 3), np.zeros(b, int)], {"divisor": 1.0}),
}  # fmt: skip
REFUSED = {"mse", "binary_cross_entropy", "kl_divergence"}  # means over nothing; test_errors.py
NO_DERIVATIVE = {"argmax", "argmin", "argsort", "bitwise_and", "bitwise_not", "bitwise_or", "equal", "not_equal", "less", "less_equal",
                 "greater", "greater_equal", "floor_divide", "rope_table"}  # fmt: skip


def results(name, args, options):
    name = name.strip()
    if name in ("concat", "stack"):
        args = [args]
    found = ops.einsum(options["subscripts"], *args) if name == "einsum" else getattr(ops, name)(*args, **options)
    return found if isinstance(found, tuple) else (found,)


def test_the_table_has_every_operation_with_a_derivative():
    callables = {name for name in ops.__all__ if callable(getattr(ops, name))}
    assert {name.strip() for name in OF_A_BATCH} == callables - REFUSED - NO_DERIVATIVE


@pytest.mark.parametrize("name", OF_A_BATCH)
def test_no_examples_have_an_empty_result_and_give_weights_a_gradient_of_zero(name):
    args, options = OF_A_BATCH[name](2)
    expected = results(name, args, options)
    none, options = OF_A_BATCH[name](0)
    leaves = [Tensor(a, requires_grad=a.dtype.kind == "f" and not name.startswith("cross_entropy ")) for a in none]
    leaves[0] = Tensor(none[0], requires_grad=none[0].dtype.kind == "f")
    found = results(name, leaves, options)
    batch_axis = 1 if name == "lstm" else 0
    for f, e in zip(found, expected, strict=True):
        wanted = tuple(0 if i == batch_axis else size for i, size in enumerate(e.shape))
        assert f.shape == wanted and f.dtype == e.dtype
    found[0].backward(np.zeros(found[0].shape))
    for leaf in leaves:
        assert not leaf.requires_grad or (leaf.grad.shape == leaf.shape and not leaf.grad.any())


@pytest.mark.parametrize("dtype", [np.float32, np.float64, "bfloat16"])
@pytest.mark.parametrize(("batch", "time", "source"), [s for s in product((0, 2), (0, 3), (0, 5)) if 0 in s])
def test_attention_without_examples_queries_or_keys_has_empty_gradients_the_masks_too(batch, time, source, dtype):
    dtype = pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype
    for shape in ((batch, 1, time, source), (time, source), (1, 4, 1, 1)):
        q, k, v, mask = (
            Tensor(N(*s).astype(dtype), requires_grad=True)
            for s in ((batch, 4, time, 2), (batch, 2, source, 2), (batch, 2, source, 3), shape)
        )
        out = ops.attention(q, k, v, mask)
        assert out.shape == (batch, 4, time, 3) and not out.data.any()
        out.backward(np.ones(out.shape))
        for leaf in (q, k, v, mask):
            assert leaf.grad.shape == leaf.shape and not leaf.grad.any()
