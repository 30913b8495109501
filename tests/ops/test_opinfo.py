"""Every operation against PyTorch's own test samples: value and gradient, in float64 and float32.

PyTorch keeps, for each of its operations, a generator of samples that cover its corners (OpInfo). The table below says how a
sample's arguments become ours. A sample that uses what we do not have is passed over by a named rule.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tolerances import GRADIENT, SINGLE_OP

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor

pytestmark = pytest.mark.oracle

LEAST_SAMPLES = 925


class NotOurs(Exception):
    """The sample uses an option that this engine does not have."""


def only(kwargs: dict, *names: str) -> dict:
    """The named options; NotOurs where there are others that say something."""
    if any(value not in (None, False) for name, value in kwargs.items() if name not in names):
        raise NotOurs(str(kwargs))
    return {name: kwargs[name] for name in names if name in kwargs}


def axes(x, args, kwargs, name="axis"):
    """dim and keepdim, by position or by name."""
    kwargs = only(kwargs, "dim", "keepdim")
    dim = args[0] if args else kwargs.get("dim")
    keep = args[1] if len(args) > 1 else kwargs.get("keepdim", False)
    if x.ndim == 0:
        raise NotOurs("a dim of a number")
    dim = None if isinstance(dim, list | tuple) and not dim else dim
    return {"axis": tuple(dim) if isinstance(dim, list) else dim, "keepdims": keep}


def unary(name: str) -> Callable:
    return lambda x, *a, **k: (only(k), getattr(ops, name)(x))[1]


def binary(name: str) -> Callable:
    def call(x, y, **k):
        only(k)
        return getattr(ops, name)(x, y)

    return call


def reduction(name: str) -> Callable:
    def call(x, *a, **k):
        return getattr(ops, name)(x, **axes(x, a, k))

    return call


def addition(name: str) -> Callable:
    def call(x, y, alpha=1, **k):
        only(k)
        return getattr(ops, name)(x, y * alpha if alpha != 1 else y)

    return call


def division(x, y, rounding_mode=None, **k):
    if rounding_mode:
        raise NotOurs("rounding_mode")
    return ops.divide(x, y)


def extreme(name: str) -> Callable:
    def call(x, *a, **k):
        if a and isinstance(a[0], Tensor):
            return getattr(ops, name + "imum")(x, a[0])
        return getattr(ops, name)(x, **axes(x, a, k))

    return call


def variance(name: str) -> Callable:
    def call(x, *a, **k):
        if a and isinstance(a[0], bool):
            raise NotOurs("unbiased by position")
        correction = k.pop("correction", 1)
        unbiased = k.pop("unbiased", None)
        if unbiased is not None:
            correction = int(unbiased)
        return getattr(ops, name)(x, **axes(x, a, k), correction=1 if correction is None else correction)

    return call


def clamp(x, low=None, high=None, min=None, max=None):
    low, high = (low if low is not None else min), (high if high is not None else max)
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        if any(isinstance(b, Tensor) and b.dtype.kind == "f" and b.dtype != x.dtype for b in (low, high)):
            raise NotOurs("two float types")
        x = x if low is None else ops.maximum(x, low)
        return x if high is None else ops.minimum(x, high)
    return ops.clip(x, low, high)


def logsumexp(x, dim, keepdim=False):
    return ops.logsumexp(x, **axes(x, (dim, keepdim), {}))


def cumsum(x, dim, **k):
    only(k)
    if x.ndim == 0:
        raise NotOurs("a dim of a number")
    return ops.cumsum(x, axis=dim)


def softmax(name: str) -> Callable:
    def call(x, dim=None, dtype=None, **k):
        if dtype is not None:
            raise NotOurs("dtype")
        if x.ndim == 0 or x.size == 0:
            raise NotOurs("no entries")
        return getattr(ops, name)(x, axis=dim)

    return call


def with_dim(name: str, keyword: str = "axis") -> Callable:
    def call(x, *a, **k):
        dim = a[0] if a else k.get("dim")
        if x.ndim == 0 and name != "expand_dims":
            raise NotOurs("a dim of a number")
        return getattr(ops, name)(x, **{keyword: tuple(dim) if isinstance(dim, list) else dim})

    return call


def reshape(x, *shape):
    shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    return ops.reshape(x, shape=tuple(shape))


def squeeze(x, *dims):
    dim = dims[0] if dims else None
    if dim is None:
        return ops.squeeze(x)
    if x.ndim == 0:
        raise NotOurs("a dim of a number")
    dim = (dim,) if isinstance(dim, int) else dim
    return ops.squeeze(x, axis=tuple(d for d in dim if x.shape[d] == 1))


def expand(x, *shape):
    shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    padded = (1,) * (len(shape) - x.ndim) + x.shape
    return ops.broadcast_to(x, shape=tuple(p if s == -1 else s for s, p in zip(shape, padded)))


def split(x, sizes, dim=0):
    if isinstance(sizes, int):
        n = x.shape[dim]
        sizes = [min(sizes, n - start) for start in range(0, n, sizes)]
    return ops.split(x, sizes, axis=dim)


def pad(x, widths, mode="constant", value=0.0):
    if mode != "constant" or min(widths) < 0:
        raise NotOurs("negative or other padding")
    pairs = [(widths[2 * i], widths[2 * i + 1]) for i in range(len(widths) // 2)][::-1]
    return ops.pad(x, widths=[(0, 0)] * (x.ndim - len(pairs)) + pairs, value=value or 0.0)


def getitem(x, index):
    index = index if isinstance(index, tuple) else (index,)
    return ops.getitem(x, index=tuple(i.data if isinstance(i, Tensor) else i for i in index))


def index_select(x, dim, index):
    if x.ndim == 0:
        raise NotOurs("a dim of a number")
    return ops.getitem(x, index=(slice(None),) * (dim % x.ndim) + (index.data,))


def gather(x, dim, index, **k):
    only(k)
    if (
        x.ndim != index.ndim
        or not x.ndim
        or any(i != s for n, (i, s) in enumerate(zip(index.shape, x.shape)) if n != dim % x.ndim)
    ):
        raise NotOurs("an index smaller than x")
    return ops.gather(x, index, axis=dim)


def embedding(weight, ids, **k):
    only({name: value for name, value in k.items() if name != "padding_idx"})
    if k.get("padding_idx") is not None:
        raise NotOurs("padding_idx")
    return ops.embedding(weight, ids)


def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    if len(shape) != 1 or x.size == 0:
        raise NotOurs("more than one axis")
    return ops.layer_norm(x, weight, bias, eps=eps)


def rms_norm(x, shape, weight=None, eps=None):
    if len(shape) != 1 or x.size == 0:
        raise NotOurs("more than one axis")
    return ops.rms_norm(x, weight, eps=np.finfo(x.dtype).eps.item() if eps is None else eps)


def linear(x, weight, bias=None):
    if weight.ndim != 2:
        raise NotOurs("a vector as weight")
    return ops.linear(x, weight, bias)


def addmm(bias, a, b, alpha=1, beta=1):
    if alpha != 1 or beta != 1 or bias.shape != b.shape[1:]:
        raise NotOurs("alpha, beta or a matrix as bias")
    return ops.linear(a, ops.transpose(b), bias)


def einsum(operands, equation):
    return ops.einsum(equation, *operands)


def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if dropout_p or q.ndim != 4 or (q.shape[2] != k.shape[2] and is_causal) or k.shape != v.shape:
        raise NotOurs("dropout, other axes, or PyTorch's top-left causal order")
    return ops.attention(q, k, v, attn_mask, causal=is_causal, scale=scale)


def cross_entropy(x, target, weight=None, size_average=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    if target.dtype.kind == "f" or x.ndim > 2:
        raise NotOurs("soft targets, or classes on axis 1")
    if reduction == "mean" and (target.data == ignore_index).all():
        raise NotOurs("all ignored: an error here, NaN there")
    options = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": label_smoothing}
    return ops.cross_entropy(x, target, weight, **options)


def nll(x, target, weight=None, ignore_index=-100, reduction="mean"):
    raise NotOurs("log probabilities as input")


def bce(x, target, weight=None, pos_weight=None, reduction="mean", **k):
    if weight is not None or pos_weight is not None or reduction != "mean":
        raise NotOurs("weights or no mean")
    return ops.binary_cross_entropy(x, target)


def mse(x, target, reduction="mean", **k):
    if reduction != "mean" or x.shape != target.shape or not x.size:
        raise NotOurs("no mean, or broadcasting")
    return ops.mse(x, target)


def kl(x, target, reduction="mean", log_target=False, **k):
    if not log_target or reduction not in ("sum", "batchmean") or x.ndim != 2:
        raise NotOurs("probabilities as target, or a mean over classes")
    return ops.kl_divergence(target, x, reduction="sum" if reduction == "sum" else "mean")


def where(x, condition, y):
    if x.dtype != y.dtype:
        raise NotOurs("promotion")
    return ops.where(condition, x, y)


def masked_fill(x, mask, value):
    if isinstance(value, Tensor) or mask.ndim > x.ndim:
        raise NotOurs("a tensor as value, or a mask that stretches x")
    return ops.masked_fill(x, mask, value=value)


def gelu(x, approximate="none"):
    return ops.gelu(x, approximate=approximate)


def flip(x, *dims, **k):
    dims = (k["dims"],) if "dims" in k else dims
    dims = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    return ops.flip(x, axis=tuple(dims))


def compared_with(name: str) -> Callable:
    def call(x, y):
        if isinstance(y, Tensor) and y.dtype != x.dtype:
            raise NotOurs("promotion")
        return getattr(ops, name)(x, y)

    return call


def position(name: str) -> Callable:
    def call(x, dim=None, keepdim=False):
        return getattr(ops, name)(with_axes(x), axis=dim, keepdims=keepdim)

    return call


def with_axes(x):
    if x.ndim == 0:
        raise NotOurs("a number without axes")
    return x


def at(x, dim, index):
    return ops.getitem(with_axes(x), index=(slice(None),) * (dim % x.ndim) + (index,))


def narrow(x, dim, start, length):
    if isinstance(start, Tensor):
        raise NotOurs("a tensor as start")
    start %= with_axes(x).shape[dim] or 1
    return at(x, dim, slice(start, start + length))


def chunk(x, chunks, dim=0):
    return split(with_axes(x), -(-x.shape[dim] // chunks), dim)


def unbind(x, dim=0):
    return [at(x, dim, i) for i in range(with_axes(x).shape[dim])]


def movedim(x, source, target):
    source, target = (np.atleast_1d(a).tolist() for a in (source, target))
    order = np.moveaxis(np.empty(tuple(range(1, with_axes(x).ndim + 1))), source, target).shape
    return ops.transpose(x, axes=[size - 1 for size in order])


def outer(x, y):
    return ops.matmul(ops.reshape(x, shape=(-1, 1)), ops.reshape(y, shape=(1, -1)))


def product(x, *a, **k):
    return ops.prod(x, **axes(x, a, k))


def remainder(x, y):
    if isinstance(y, Tensor) and (y.data == 0).any():
        raise NotOurs("a divisor of 0")
    return ops.remainder(x, y)


def repeat_interleave(x, repeats, dim=None, output_size=None):
    return ops.repeat(with_axes(x), repeats, axis=dim)


def ordered(x, dim=-1, descending=False, stable=False):
    """The positions of equals are PyTorch's only where it promises an order."""
    values, positions = ops.sort(with_axes(x), axis=dim, descending=descending)
    if not stable and len(np.unique(x.data)) < x.size:
        raise NotOurs("equals in any order")
    return values, positions


def order_of(x, dim=-1, descending=False, stable=False):
    return ordered(x, dim, descending, stable)[1]


def topk(x, k, dim=-1, largest=True, sorted=True):
    if not sorted:
        raise NotOurs("any order")
    return ops.topk(with_axes(x), k, axis=dim, largest=largest)


def baddbmm(bias, a, b, alpha=1, beta=1):
    return ops.add(bias * beta, ops.matmul(a, b) * alpha)


TABLE: dict[str, Callable] = {
    "lt": compared_with("less"), "le": compared_with("less_equal"), "gt": compared_with("greater"),
    "ge": compared_with("greater_equal"), "eq": compared_with("equal"), "ne": compared_with("not_equal"),
    "argmax": position("argmax"), "argmin": position("argmin"), "flatten": lambda x, start_dim=0, end_dim=-1: ops.flatten(x, start_dim, end_dim), "narrow": narrow, "chunk": chunk,
    "unbind": unbind, "select": at, "ravel": lambda x: ops.reshape(x, shape=(-1,)), "outer": outer, "movedim": movedim,
    "t": lambda x: ops.transpose(with_axes(x)), "dot": binary("matmul"), "take_along_dim": lambda x, i, d=None: gather(x, d, i) if d is not None else _none(),
    "argsort": order_of, "sort": ordered, "topk": topk, "repeat_interleave": repeat_interleave, "prod": product,
    "remainder": remainder, "sign": unary("sign"),
    "std": variance("std"), "baddbmm": baddbmm, "addmv": baddbmm, "addcmul": lambda x, a, b, value=1: x + a * b * value,
    "addcdiv": lambda x, a, b, value=1: x + a / b * value, "lerp": lambda x, y, w: x + (y - x) * w,
    "linalg.multi_dot": lambda xs: xs[0] @ xs[1] if len(xs) == 2 else _none(), "expand_as": lambda x, y: expand(x, y.shape),
    "view_as": lambda x, y: reshape(x, y.shape), "clamp_min": lambda x, low: clamp(x, low),
    "clamp_max": lambda x, high: clamp(x, None, high),
    "add": addition("add"), "sub": addition("subtract"), "mul": binary("multiply"), "div": division,
    "pow": binary("power"), "neg": unary("negative"), "abs": unary("absolute"), "exp": unary("exp"), "log": unary("log"),
    "log1p": unary("log1p"), "sqrt": unary("sqrt"), "rsqrt": unary("rsqrt"), "sin": unary("sin"), "cos": unary("cos"),
    "tanh": unary("tanh"), "sigmoid": unary("sigmoid"), "erf": unary("erf"), "nn.functional.relu": unary("relu"),
    "nn.functional.silu": unary("silu"), "nn.functional.gelu": gelu, "maximum": binary("maximum"),
    "minimum": binary("minimum"), "clamp": clamp, "where": where, "masked_fill": masked_fill, "sum": reduction("sum"),
    "mean": reduction("mean"), "var": variance("var"), "amax": reduction("amax"), "amin": reduction("amin"),
    "logsumexp": logsumexp, "cumsum": cumsum, "matmul": binary("matmul"), "mm": binary("matmul"), "bmm": binary("matmul"),
    "mv": binary("matmul"), "addmm": addmm, "einsum": einsum, "reshape": reshape, "view": reshape,
    "transpose": lambda x, a, b: ops.swapaxes(x, a=a, b=b) if x.ndim else _none(), "permute": with_dim("transpose", "axes"),
    "unsqueeze": with_dim("expand_dims"),
    "squeeze": squeeze, "expand": expand, "broadcast_to": expand, "cat": lambda xs, dim=0: ops.concat(_not_empty(xs), dim),
    "stack": lambda xs, dim=0: ops.stack(xs, dim), "split": split, "split_with_sizes": split,
    "nn.functional.pad": pad, "flip": flip, "__getitem__": getitem, "index_select": index_select, "gather": gather,
    "nn.functional.embedding": embedding, "tril": lambda x, k=0: ops.tril(x, k=k), "triu": lambda x, k=0: ops.triu(x, k=k),
    "softmax": softmax("softmax"), "log_softmax": softmax("log_softmax"),
    "nn.functional.layer_norm": layer_norm, "nn.functional.rms_norm": rms_norm, "nn.functional.linear": linear,
    "nn.functional.scaled_dot_product_attention": attention, "nn.functional.cross_entropy": cross_entropy,
    "nn.functional.binary_cross_entropy_with_logits": bce, "nn.functional.mse_loss": mse, "nn.functional.kl_div": kl,
    "rsub": lambda x, y, alpha=1: ops.subtract(y, x * alpha if alpha != 1 else x), "square": lambda x: ops.power(x, 2),
    "reciprocal": lambda x: ops.divide(1.0, x), "max": extreme("max"), "min": extreme("min"),
    "unflatten": lambda x, dim, sizes: ops.reshape(x, shape=_unflattened(x, dim, sizes)),
}  # fmt: skip


def _none():
    raise NotOurs("a number without axes")


def _not_empty(tensors):
    if any(t.ndim == 1 and t.size == 0 for t in tensors) and any(t.ndim != 1 for t in tensors):
        raise NotOurs("PyTorch's empty tensor that fits anywhere")
    return tensors


def _unflattened(x, dim, sizes):
    if not x.ndim:
        raise NotOurs("a number without axes")
    dim %= x.ndim
    return (*x.shape[:dim], *sizes, *x.shape[dim + 1 :])


def ours(value: Any, leaves: dict[int, Tensor]) -> Any:
    """A torch argument as one of ours; tensors that require a gradient are remembered."""
    import torch

    if isinstance(value, torch.Tensor):
        if id(value) not in leaves:
            leaves[id(value)] = Tensor(value.detach().numpy().copy(), requires_grad=value.requires_grad)
        return leaves[id(value)]
    if isinstance(value, torch.Size):
        return tuple(value)
    if isinstance(value, list | tuple):
        return type(value)(ours(v, leaves) for v in value)
    return value


def leaves_of(value: Any):
    import torch

    if isinstance(value, torch.Tensor) and value.requires_grad:
        yield value
    elif isinstance(value, list | tuple):
        for v in value:
            yield from leaves_of(v)


def flat(result: Any) -> list:
    return list(result) if isinstance(result, list | tuple) else [result]


def compare(info: Any, sample: Any, dtype: str) -> None:
    """Value and gradient of one sample under a random cotangent."""
    import torch

    remembered: dict[int, Tensor] = {}
    args = [ours(value, remembered) for value in (sample.input, *sample.args)]
    kwargs = {name: ours(value, remembered) for name, value in sample.kwargs.items()}
    wanted = [leaf for value in (sample.input, *sample.args, *sample.kwargs.values()) for leaf in leaves_of(value)]
    # entries reach 9: where a result is the difference of two equal sums of products, what is left of it in float32 is
    # their rounding, in proportion to the products
    largest = max((float(np.abs(leaf.detach().numpy()).max(initial=0)) for leaf in wanted), default=0)
    factor = max(1.0, largest**2) if dtype == "float32" else 1.0

    def scaled(table):
        return {"rtol": table[dtype]["rtol"], "atol": table[dtype]["atol"] * factor}

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = flat(TABLE[info.name](*args, **kwargs))
        expected = flat(info.op(sample.input, *sample.args, **sample.kwargs))
        if info.name in ("max", "min") and len(expected) == 2:
            expected = expected[:1]
        rng = np.random.default_rng(0)
        total, torch_total = None, 0
        for f, e in zip(found, expected, strict=True):
            if e.dtype.is_floating_point:
                assert str(f.dtype) == dtype
                np.testing.assert_allclose(f.data, e.detach().numpy(), **scaled(SINGLE_OP), err_msg=info.name)
            else:
                np.testing.assert_array_equal(f.data, e.numpy(), err_msg=info.name)
            if e.requires_grad:
                weight = rng.uniform(0.5, 1.5, e.shape).astype(dtype)
                torch_total = torch_total + (e * torch.from_numpy(np.asarray(weight))).sum()
                total = (f * weight).sum() if total is None else total + (f * weight).sum()
        if total is None or not wanted:
            return
        total.backward()
        gradients = torch.autograd.grad(torch_total, wanted, allow_unused=True)
    for leaf, gradient in zip(wanted, gradients):
        mine = remembered[id(leaf)].grad
        if gradient is None:
            assert mine is None or not mine.any()
            continue
        assert mine is not None and str(mine.dtype) == dtype
        np.testing.assert_allclose(mine, gradient.numpy(), **scaled(GRADIENT), err_msg=f"gradient of {info.name}")


def infos() -> dict[str, list]:
    from torch.testing._internal.common_methods_invocations import op_db

    found: dict[str, list] = {}
    for info in op_db:
        if info.name in TABLE:
            found.setdefault(info.name, []).append(info)
    return found


def run(name: str, dtype: str) -> tuple[int, int]:
    """Compares all samples of an operation; how many were compared, and how many are not ours."""
    import torch

    compared = passed_over = 0
    for info in infos()[name]:
        for sample in info.sample_inputs("cpu", getattr(torch, dtype), requires_grad=True):
            if not isinstance(sample.input, torch.Tensor | list | tuple):
                continue
            try:
                compare(info, sample, dtype)
                compared += 1
            except NotOurs:
                passed_over += 1
    return compared, passed_over


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", list(TABLE))
def test_value_and_gradient_equal_pytorchs(name, dtype):
    compared, _ = run(name, dtype)
    assert compared > 0


def test_enough_samples_are_compared():
    counts = {name: run(name, "float64") for name in infos()}
    total, left = sum(c for c, _ in counts.values()), sum(p for _, p in counts.values())
    print(f"{total} samples of {len(counts)} operations compared, {left} use what is not ours")
    assert total >= LEAST_SAMPLES
