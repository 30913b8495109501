"""The array: a NumPy array that nobody may take for one."""

from __future__ import annotations

import operator

import numpy as np

from cupy._loops import half, ufunc
from cupy._state import STATE, from_a_test


class Memory:
    """`array.data`: where its first entry lies."""

    def __init__(self, a: np.ndarray) -> None:
        self.array, self.ptr = a, a.ctypes.data

    def copy_from_device_async(self, src: Memory, size: int, stream=None) -> None:
        """From another array, in the stream's order."""
        assert self.array.flags.c_contiguous and src.array.flags.c_contiguous
        to, source = (m.array.reshape(-1).view(np.uint8)[:size] for m in (self, src))
        STATE.run(lambda: to.__setitem__(slice(None), source))

    def copy_from_host_async(self, address: int, size: int, stream=None) -> None:
        """From pinned memory, in the stream's order."""
        from cupy.cuda import pinned_view

        source, target = pinned_view(address, size), self.array.reshape(-1).view(np.uint8)[:size]
        assert target.base is not None and self.array.flags.c_contiguous

        def copy() -> None:
            STATE.pinned.append((source, source.tobytes()))
            target[...] = source

        STATE.run(copy)


def unwrap(x, name: str = "this", lists: bool = False):
    """The NumPy array inside; numbers as they are; everything else is refused as CuPy does."""
    if isinstance(x, ndarray):
        return x._a
    if isinstance(x, np.ndarray):
        if from_a_test():
            return x
        raise TypeError(f"{name}: Unsupported type {type(x)}")
    if isinstance(x, list | tuple) and not lists:
        raise TypeError(f"{name}: Unsupported type {type(x)}")
    return x


def root(a: np.ndarray):
    while isinstance(a, np.ndarray) and a.base is not None:
        a = a.base
    return a


def wrap(result, *sources):
    """A NumPy result as an array here; a view of a source knows whose."""
    if isinstance(result, list | tuple):
        return type(result)(wrap(r, *sources) for r in result)
    if isinstance(result, np.generic):
        result = np.asarray(result)
    if not isinstance(result, np.ndarray):
        return result
    out = ndarray.__new__(ndarray)
    out._a, out.base = result, None
    if STATE.recording is not None:
        STATE.kept.append(result)
    for source in sources:
        if isinstance(source, ndarray) and root(source._a) is root(result):
            out.base = source if source.base is None else source.base
    if out.base is None:
        STATE.hold(result.nbytes)
    return out


def compute(function, *args, name: str = "", lists: bool = False, **kwargs):
    """function on the arrays inside; recorded where a graph is recorded, but for views, which are no work."""
    name = name or getattr(function, "__name__", "operation")
    out = kwargs.pop("out", None)
    mixed = from_a_test() and any(isinstance(a, np.ndarray) for a in args)
    plain = [
        [unwrap(i, name) for i in a] if lists and isinstance(a, list | tuple) else unwrap(a, name, lists) for a in args
    ]
    kwargs = {k: unwrap(v, name, True) for k, v in kwargs.items()}
    if mixed:  # a test compares with what it knows
        return function(*plain, **kwargs)
    if out is not None:
        assert isinstance(out, ndarray), f"{name}: out is of another library"
        STATE.run(lambda: into(out._a, function(*plain, **kwargs)))
        return out
    with np.errstate(all="ignore"):
        result = function(*plain, **kwargs)
    flat = [*args[0]] if lists and isinstance(args[0], list | tuple) else args
    wrapped = wrap(result, *flat)
    for part in wrapped if isinstance(wrapped, tuple | list) else [wrapped]:
        if isinstance(part, ndarray) and STATE.recording is not None and part.base is None:
            assert not isinstance(wrapped, tuple | list), f"{name}: several results cannot be recorded here"
            target = part._a if part._a.flags.writeable else part._a.copy()
            part._a = target
            STATE.run(lambda target=target: into(target, function(*plain, **kwargs)))
            poison(target)
    return wrapped


def into(target: np.ndarray, values) -> None:
    """As CuPy's `out=`: same shape, and no cast that loses more than rounding."""
    assert np.shape(values) == target.shape, f"out of shape {target.shape} for a result of {np.shape(values)}"
    assert np.can_cast(values.dtype, target.dtype, "same_kind"), f"out of {target.dtype} for a result of {values.dtype}"
    with np.errstate(all="ignore"):
        target[...] = values


def poison(a: np.ndarray) -> np.ndarray:
    """What memory holds that nobody has written: NaN, or a number that is no position."""
    if a.dtype.kind == "f" or a.dtype.char == "E":
        a[...] = np.nan
    elif a.dtype.kind in "iu":
        a[...] = np.iinfo(a.dtype).max // 3
    else:
        a[...] = True
    return a


class ndarray:
    """See CuPy's. Only what is listed here may be used."""

    __slots__ = ("__weakref__", "_a", "base")
    __hash__ = None

    def __init__(self, *args, **kwargs) -> None:
        raise TypeError("make arrays with cupy.empty and its like")

    # -- what it is ---------------------------------------------------------------------------------------------------

    shape = property(lambda self: self._a.shape)
    ndim = property(lambda self: self._a.ndim)
    size = property(lambda self: self._a.size)
    dtype = property(lambda self: self._a.dtype)
    strides = property(lambda self: self._a.strides)
    itemsize = property(lambda self: self._a.itemsize)
    nbytes = property(lambda self: self._a.nbytes)
    flags = property(lambda self: self._a.flags)
    data = property(lambda self: Memory(self._a))
    T = property(lambda self: wrap(self._a.T, self))

    def __del__(self) -> None:
        if self.base is None:
            STATE.hold(-self._a.nbytes)

    def __len__(self) -> int:
        return len(self._a)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    # -- leaving the GPU ----------------------------------------------------------------------------------------------

    def get(self, stream=None, order="C", out=None, blocking=True):
        STATE.synchronise("get")
        return self._a.copy()

    def item(self):
        STATE.synchronise("item")
        return self._a.item()

    def tolist(self):
        STATE.synchronise("tolist")
        return self._a.tolist()

    def __float__(self) -> float:
        STATE.synchronise("float")
        return float(self._a)

    def __int__(self) -> int:
        STATE.synchronise("int")
        return int(self._a)

    def __bool__(self) -> bool:
        STATE.synchronise("bool")
        return bool(self._a)

    def __repr__(self) -> str:
        STATE.synchronise("repr")
        return repr(self._a)

    def __format__(self, spec: str) -> str:
        STATE.synchronise("format")
        return format(self._a, spec)

    def __array__(self, dtype=None, copy=None):
        if from_a_test():
            return np.array(self._a, dtype)
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if from_a_test():
            return getattr(ufunc, method)(*[i._a if isinstance(i, ndarray) else i for i in inputs], **kwargs)
        raise TypeError(f"numpy.{ufunc.__name__} of a GPU array")

    def __array_function__(self, function, types, args, kwargs):
        if from_a_test():
            return function(*_opened(args), **{k: _opened(v) for k, v in kwargs.items()})
        raise TypeError(f"numpy.{function.__name__} of a GPU array")

    # -- methods, with CuPy's signatures ------------------------------------------------------------------------------

    def sum(self, axis=None, dtype=None, out=None, keepdims=False):
        return compute(np.sum, self, axis=axis, dtype=dtype, out=out, keepdims=keepdims)

    def prod(self, axis=None, dtype=None, out=None, keepdims=False):
        return compute(np.prod, self, axis=axis, dtype=dtype, out=out, keepdims=keepdims)

    def mean(self, axis=None, dtype=None, out=None, keepdims=False):
        return compute(np.mean, self, axis=axis, dtype=dtype, out=out, keepdims=keepdims)

    def var(self, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
        return compute(np.var, self, axis=axis, dtype=dtype, out=out, ddof=ddof, keepdims=keepdims)

    def std(self, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
        return compute(np.std, self, axis=axis, dtype=dtype, out=out, ddof=ddof, keepdims=keepdims)

    def max(self, axis=None, out=None, keepdims=False):
        return compute(np.max, self, axis=axis, out=out, keepdims=keepdims)

    def min(self, axis=None, out=None, keepdims=False):
        return compute(np.min, self, axis=axis, out=out, keepdims=keepdims)

    def any(self, axis=None, out=None, keepdims=False):
        return compute(np.any, self, axis=axis, out=out, keepdims=keepdims)

    def all(self, axis=None, out=None, keepdims=False):
        return compute(np.all, self, axis=axis, out=out, keepdims=keepdims)

    def argmax(self, axis=None, out=None, dtype=None, keepdims=False):
        return compute(np.argmax, self, axis=axis, out=out, keepdims=keepdims)

    def argmin(self, axis=None, out=None, dtype=None, keepdims=False):
        return compute(np.argmin, self, axis=axis, out=out, keepdims=keepdims)

    def cumsum(self, axis=None, dtype=None, out=None):
        if half(self) or (dtype is not None and np.dtype(dtype).char == "E"):
            raise TypeError("NVRTC: no operator += matches these operands: bfloat16")
        return compute(np.cumsum, self, axis=axis, dtype=dtype, out=out)

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        if not copy and self.dtype == np.dtype(dtype):
            return self
        return compute(lambda a: a.astype(dtype, order=order, copy=True), self, name="astype")

    def copy(self, order="C"):
        return compute(lambda a: a.copy(order), self, name="copy")

    def reshape(self, *shape, order="C", copy=None):
        return compute(lambda a: a.reshape(*shape), self, name="reshape")

    def transpose(self, *axes):
        return wrap(self._a.transpose(*axes), self)

    def swapaxes(self, axis1, axis2):
        return wrap(self._a.swapaxes(axis1, axis2), self)

    def squeeze(self, axis=None):
        return wrap(self._a.squeeze(axis), self)

    def view(self, dtype=None):
        return wrap(self._a.view(dtype), self)

    def ravel(self, order="C"):
        return compute(lambda a: a.ravel(order), self, name="ravel")

    def fill(self, value) -> None:
        assert not isinstance(value, ndarray)
        STATE.run(lambda: self._a.fill(value))

    # -- indexing -----------------------------------------------------------------------------------------------------

    def _index(self, index, write: bool):
        """The index for NumPy. Positions outside wrap in silence, as on a GPU."""
        parts = index if isinstance(index, tuple) else (index,)
        plain, axis, advanced = [], 0, False
        for part in parts:
            if isinstance(part, list) and from_a_test():
                part = np.array(part)
            if isinstance(part, list):
                raise TypeError("a list as an index: make it an array")
            part = unwrap(part, "index")
            if isinstance(part, np.ndarray) and part.dtype.kind == "b":
                if not write:
                    STATE.synchronise("boolean index")
                axis, advanced = axis + part.ndim, True
            elif isinstance(part, np.ndarray):
                part, advanced = part.astype(np.int64) % max(1, self._a.shape[axis]), True
                axis += 1
            elif part is not None and part is not Ellipsis:
                axis += 1
            plain.append(part)
            if part is Ellipsis:
                used = sum(p is not None and p is not Ellipsis for p in parts)
                axis = self._a.ndim - (used - len([p for p in plain if p is not None and p is not Ellipsis]))
        return tuple(plain), advanced

    def __getitem__(self, index):
        plain, advanced = self._index(index, write=False)
        if not advanced:
            return wrap(self._a[plain], self)
        return compute(lambda a: a[self._index(index, True)[0]], self, name="getitem")

    def __setitem__(self, index, value) -> None:
        advanced, value = self._index(index, write=True)[1], unwrap(value, "setitem")

        def assign() -> None:  # while a graph is recorded an index has no numbers yet
            plain = self._index(index, True)[0]
            if advanced:
                _each_place_once(self._a, plain)
            self._a[plain] = value

        with np.errstate(all="ignore"):
            STATE.run(assign)


def _opened(x):
    """NumPy arrays in the places of these, for a test that looks."""
    if isinstance(x, list | tuple):
        return type(x)(map(_opened, x))
    return x._a if isinstance(x, ndarray) else x


def _each_place_once(a: np.ndarray, index) -> None:
    if any(isinstance(i, np.ndarray) and i.dtype.kind != "b" for i in index):
        places = np.arange(a.size).reshape(a.shape)[index].reshape(-1)
        assert len(np.unique(places)) == len(places), "an assignment to one place twice: the GPU keeps either"


def _binary(name: str):
    function = ufunc(getattr(operator, name), name)

    def forward(self, other):
        if other is None or isinstance(other, str):
            return NotImplemented
        if type(other).__name__ in ("Tensor", "Parameter"):
            return NotImplemented
        return compute(function, self, other, name=name)

    def backward(self, other):
        return compute(lambda a, b: function(b, a), self, other, name=name)

    def in_place(self, other):
        value = unwrap(other, name)

        def change() -> None:
            with np.errstate(all="ignore"):
                result = function(self._a, value)
            into(self._a, result)

        STATE.run(change)
        return self

    return forward, backward, in_place


for _name in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "and_", "or_", "xor"):
    _stem = _name.rstrip("_")
    _f, _b, _i = _binary(_name)
    setattr(ndarray, f"__{_stem}__", _f)
    setattr(ndarray, f"__r{_stem}__", _b)
    setattr(ndarray, f"__i{_stem}__", _i)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(ndarray, f"__{_name}__", _binary(_name)[0])
for _name in ("neg", "invert", "abs"):
    _function = ufunc(getattr(operator, _name), _name)
    setattr(
        ndarray, f"__{_name}__", lambda self, _function=_function, _name=_name: compute(_function, self, name=_name)
    )


def _matmul(a, b):
    if max(a.ndim, b.ndim) > 2 and "E" in (a.dtype.char, b.dtype.char):
        raise TypeError("matmul of bfloat16 in more than two axes")
    if "E" in (a.dtype.char, b.dtype.char):
        return (a.astype(np.float32) @ b.astype(np.float32)).astype(a.dtype)
    return a @ b


ndarray.__matmul__ = lambda self, other: compute(_matmul, self, other, name="matmul")
