"""Functions of the namespace. Each takes what CuPy's takes."""

from __future__ import annotations

import numpy as np

from cupy import cuda
from cupy._array import _matmul, compute, ndarray, poison, unwrap, wrap
from cupy._loops import half, ufunc
from cupy._state import STATE

_NOT_OURS = set(globals())
_UFUNCS = (
    "add subtract multiply divide true_divide power negative absolute exp exp2 log log1p log2 sqrt square sin cos tanh sign "
    "maximum minimum isfinite isnan isinf equal not_equal less less_equal greater greater_equal logical_and logical_or "
    "logical_not bitwise_and bitwise_or copysign floor floor_divide remainder"
).split()
_METHODS = ("sum", "mean", "max", "min", "any", "all", "argmax", "argmin", "cumsum")
_VIEWS = {"expand_dims": 2, "broadcast_to": 2, "moveaxis": 3, "swapaxes": 3, "squeeze": 2, "transpose": 2, "flip": 2}


def _ufunc(name: str):
    function = ufunc(getattr(np, name), name)

    def call(*args, out=None):
        return compute(function, *args, out=out, name=name)

    call.__name__ = name
    return call


def _method(name: str):
    return lambda a, *args, **kwargs: getattr(a, name)(*args, **kwargs)


def _view(name: str):
    function = getattr(np, name)

    def call(a, *args, **kwargs):
        assert isinstance(a, ndarray), f"{name} of {type(a)}"
        return wrap(function(a._a, *args, **kwargs), a)

    return call


for _name in _UFUNCS:
    globals()[_name] = _ufunc(_name)
for _name in _METHODS:
    globals()[_name] = _method(_name)
for _name in _VIEWS:
    globals()[_name] = _view(_name)
abs = globals()["absolute"]


# -- making arrays ----------------------------------------------------------------------------------------------------


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    if isinstance(a, ndarray):
        return a if dtype is None or a.dtype == np.dtype(dtype) else a.astype(dtype)
    STATE.upload("asarray")
    return wrap(np.array(a, dtype, order="C"))


array = asarray


def ascontiguousarray(a, dtype=None):
    assert isinstance(a, ndarray) and dtype is None
    if not a.ndim:
        return a.reshape(1)  # at least one axis, as NumPy's
    return a if a.flags.c_contiguous else a.copy()


def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    return a.get()


def empty(shape, dtype=float, order="C"):
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if STATE.most_bytes is not None and size > STATE.most_bytes:
        raise cuda.memory.OutOfMemoryError(f"Out of memory allocating {size:,} bytes")
    return wrap(poison(np.empty(shape, dtype)))


def _filled(shape, value, dtype):
    out = wrap(np.empty(shape, dtype))
    STATE.run(lambda: out._a.fill(value))
    return out


def zeros(shape, dtype=float, order="C"):
    return _filled(shape, 0, dtype)


def ones(shape, dtype=float, order="C"):
    return _filled(shape, 1, dtype)


def full(shape, fill_value, dtype=None, order="C"):
    assert dtype is not None and not isinstance(fill_value, ndarray)
    return _filled(shape, fill_value, dtype)


def empty_like(prototype, dtype=None, order="K", subok=None, shape=None):
    return empty(unwrap(prototype).shape, dtype or prototype.dtype)


def zeros_like(a, dtype=None, order="K", subok=None, shape=None):
    return zeros(unwrap(a).shape, dtype or a.dtype)


def ones_like(a, dtype=None, order="K", subok=None, shape=None):
    return ones(unwrap(a).shape, dtype or a.dtype)


def arange(start, stop=None, step=1, dtype=None):
    return compute(lambda: np.arange(*((start,) if stop is None else (start, stop, step)), dtype=dtype), name="arange")


def eye(N, M=None, k=0, dtype=float, order="C"):
    return compute(lambda: np.eye(N, M, k, dtype), name="eye")


# -- the rest ---------------------------------------------------------------------------------------------------------


def concatenate(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    if len(tup) > 8:  # CuPy does all in one kernel then, and uploads a list of addresses for it
        STATE.upload("concatenate")
    return compute(np.concatenate, tup, axis=axis, out=out, lists=True)


def stack(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    return compute(np.stack, tup, axis=axis, out=out, lists=True)


def split(ary, indices_or_sections, axis=0):
    return wrap(np.split(ary._a, indices_or_sections, axis), ary)


def pad(array, pad_width, mode="constant", **kwargs):
    return compute(lambda a: np.pad(a, pad_width, mode, **kwargs), array, name="pad")


def where(condition, x=None, y=None):
    if x is None:
        STATE.synchronise("where with one argument")
        return wrap(np.where(unwrap(condition)))
    # CuPy's has no bfloat16: what it gives is the next type that it knows
    x, y = (v.astype(np.float32) if half(v) else v for v in (x, y))
    return compute(np.where, condition, x, y)


def take_along_axis(a, indices, axis):
    return compute(lambda a, i: np.take_along_axis(a, i % a.shape[axis], axis), a, indices, name="take_along_axis")


def argsort(a, axis=-1, kind=None):
    assert kind in (None, "stable")
    return compute(lambda x: np.argsort(x, axis, kind=kind), a, name="argsort")


def put_along_axis(arr, indices, values, axis):
    inner = [unwrap(x) for x in (indices, values)]
    STATE.run(lambda: np.put_along_axis(arr._a, *inner, axis))


def tri(N, M=None, k=0, dtype=float):
    return compute(lambda: np.tri(N, M, k, dtype), name="tri")


def tril(m, k=0):
    return where(wrap(np.tri(*m.shape[-2:], k, dtype=bool)), m, m.dtype.type(0))


def triu(m, k=0):
    return where(wrap(np.tri(*m.shape[-2:], k - 1, dtype=bool)), m.dtype.type(0), m)


def einsum(*operands, **kwargs):
    return compute(lambda *a: np.array(np.einsum(operands[0], *a, **kwargs)), *operands[1:], name="einsum")


def clip(a, a_min, a_max, out=None):
    if a.dtype.char == "E":  # CuPy's has no bfloat16: what it gives is the next type that it knows
        a = a.astype(np.float32)
    return compute(np.clip, a, a_min, a_max, name="clip")


def matmul(*args, out=None):
    return compute(_matmul, *args, out=out, name="matmul")


def dot(a, b, out=None):
    assert a.ndim == b.ndim == 1 and out is None
    return compute(np.dot, a, b, name="dot")


def repeat(a, repeats, axis=None):
    assert isinstance(repeats, int)
    return compute(lambda x: np.repeat(x, repeats, axis), a, name="repeat")


def bincount(x, weights=None, minlength=None):
    STATE.synchronise("bincount")
    return compute(lambda a, w: np.bincount(a, w, minlength or 0), x, weights, name="bincount")


def copyto(dst, src, casting="same_kind", where=None):
    source, mask = unwrap(src), True if where is None else unwrap(where)
    STATE.run(lambda: np.copyto(dst._a, source, casting=casting, where=mask))


__all__ = [name for name in globals() if not name.startswith("_") and name not in _NOT_OURS]
