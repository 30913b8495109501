"""@op: a function on arrays that returns its value and its derivative becomes an operation on tensors.

    @op
    def square(x):
        def vjp(g, needs):
            return 2 * x * g
        return x * x, vjp

**Parents.** The parameters without a default, and those annotated `Array`, may be tensors; all others are options.
They stand first. Python numbers and None pass through unchanged. An array that is no tensor follows the tensors to
their device, unless its parameter is annotated `HostArray`: then the op does that, after it has checked the values.

**Mixed precision.** Beside bfloat16 activations, the first parent, other parents may be float32: the weights that an
optimizer adds small steps to. The result has the activations' dtype, and each parent its gradient in its own.

**vjp(g, needs)** gives the gradient of the one parent, or a tuple with one entry a parent. `needs` says which parents
want one. It never writes into g, nor into an array that it did not make, and returns shapes before broadcasting is
undone: `backward` does that for all ops, and rounds to bfloat16 what CuPy computed in float32. `vjp` is None where
there is no derivative.

`square.array` is the bare function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np

from tinygrad_llm.autograd.mode import MODE
from tinygrad_llm.autograd.tensor import Node, Storage, Tensor
from tinygrad_llm.backend import NAMESPACES, Array, beside, cast, is_float, is_half, namespace, plain, to_device
from tinygrad_llm.errors import DeviceError, DtypeError, NonFiniteError, ShapeError, TinygradLLMError


def op(function: Callable[..., tuple[Array, Any]] | None = None, *, widens: bool = False) -> Any:
    """Makes an operation on tensors of a function on arrays; see the module's text.

    widens  bfloat16 activations have a float32 result, as a loss needs more than eight bits.
    """
    return _operation(function, widens) if function is not None else partial(_operation, widens=widens)


def _operation(function: Callable[..., tuple[Array, Any]], widens: bool) -> Callable[..., Tensor]:
    names, variadic = _parent_names(function)
    stays = ["HostArray" in str(p.annotation) for p in inspect.signature(function).parameters.values()]
    count = len(names)
    name = function.__name__
    casts = "dtype" in inspect.signature(function).parameters

    @wraps(function)
    def call(*args: Any, **options: Any) -> Tensor:
        if variadic:
            parents, rest = args, ()
        else:
            parents, rest = args[:count], args[count:]
            if len(parents) < count:
                parents += tuple(options.pop(missing, None) for missing in names[len(parents) :])
        arrays = [p.data if isinstance(p, Tensor) else plain(p) for p in parents]
        if len(NAMESPACES) > 1:  # a GPU is in use
            arrays = _on_one_device(name, parents, arrays, stays)
        if not all(map(_computable, arrays)):
            raise DtypeError(name, "tensors, arrays and numbers", _described(names, arrays))
        try:
            out, vjp = function(*arrays, *rest, **options)
        except TinygradLLMError:
            raise
        except (ValueError, IndexError) as error:
            raise ShapeError(name, "arguments that fit one another", _described(names, arrays), f"{error}.") from error
        except (TypeError, AttributeError) as error:
            raise DtypeError(name, "arguments that fit one another", _described(names, arrays), f"{error}.") from error
        return _box(name, out, vjp, parents, arrays, None if casts else widens)

    call.array = function  # type: ignore[attr-defined]
    return call


def _parent_names(function: Callable) -> tuple[tuple[str, ...], bool]:
    parameters = list(inspect.signature(function).parameters.values())
    if parameters[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return (parameters[0].name,), True
    is_parent = [
        p.kind is not p.KEYWORD_ONLY and (p.default is p.empty or "Array" in str(p.annotation)) for p in parameters
    ]
    count = sum(is_parent)
    assert all(is_parent[:count]), f"{function.__name__}: parents must stand before options"
    return tuple(p.name for p in parameters[:count]), False


def _computable(x: Any) -> bool:
    """Arrays of booleans, integers and floats; Python's numbers; None for an argument that is left out."""
    dtype = getattr(x, "dtype", None)
    if dtype is not None:
        return dtype.kind in "biuf" or is_float(dtype)
    return x is None or isinstance(x, int | float)


def _on_one_device(name: str, parents: tuple, arrays: list, stays: list[bool]) -> list:
    """Arrays of the host beside the first tensor on a GPU, if there is one.  Raises DeviceError for tensors on both."""
    leader = next((a for a in arrays if hasattr(a, "dtype") and type(a) is not np.ndarray), None)
    if leader is None:
        return arrays
    for p, a in zip(parents, arrays):
        if isinstance(p, Tensor) and type(a) is np.ndarray:
            got = f"one of shape {p.shape} on the CPU beside one on a GPU"
            raise DeviceError(name, "tensors on one device", got, "Move it first: x.to('cuda').")
    keeps = stays if len(stays) == len(arrays) else [*stays, *[False] * len(arrays)]
    return [a if stay else beside(a, leader) for a, stay in zip(arrays, keeps)]


def _box(name: str, out: Array, vjp: Any, parents: tuple, arrays: list, widens: bool | None) -> Tensor:
    """The result as a tensor, with a node where a parent wants a gradient."""
    if isinstance(out, np.generic):
        out = np.asarray(out)
    if widens is not None:  # an operation with an option `dtype` is there to change it
        out = _in_their_dtype(name, out, vjp, arrays, widens)
    mode = MODE.get()
    if mode.watching and is_float(out.dtype) and not bool(namespace(out).isfinite(out).all()):
        raise NonFiniteError(
            name, "finite numbers", _first_bad(out), "It made them from these: " + _described((), arrays)
        )
    node = None
    if vjp is not None and mode.recording:
        needs = tuple([isinstance(p, Tensor) and p.requires_grad for p in parents])
        if True in needs:
            node = Node(name, parents, needs, vjp, out)
    return Tensor.result(out, node, _shared_storage(out, parents))


def _in_their_dtype(name: str, out: Array, vjp: Any, arrays: list, widens: bool) -> Array:
    """float32 in, float32 out: a silent float64 would cost half the speed, and a mixture is a mistake, but for float32
    weights beside bfloat16 activations.

    bfloat16 in, bfloat16 out: CuPy computes `0.5 * x` in float32, and what it has so computed is rounded here, once.
    """
    floats = {a.dtype for a in arrays if hasattr(a, "dtype") and (a.dtype.kind == "f" or is_half(a.dtype))}
    if len(floats) == 1 and out.dtype in floats and not (widens and is_half(out.dtype)):
        return out
    first = next((a.dtype for a in arrays if hasattr(a, "dtype") and is_float(a.dtype)), None)
    if floats == {first} and is_half(first) and not widens and out.dtype == np.float32:
        return cast(out, first)
    if first is not None and is_half(first) and floats <= {first, np.dtype(np.float32)}:
        floats = {np.dtype(np.float32) if widens else first}
    if len(floats) > 1 or (is_float(out.dtype) and vjp is not None and floats != {out.dtype}):
        wanted = "one float dtype throughout" if floats else "at least one float argument"
        raise DtypeError(name, wanted, _described((), arrays), "Convert with .astype('float32') or .astype('float64').")
    return out


def _shared_storage(out: Array, parents: tuple) -> Storage | None:
    """The storage of the parent that `out` is, or is a view of, so that both share one version counter."""
    owner = out if out.base is None else out.base
    for p in parents:
        if isinstance(p, Tensor) and p.storage is not None and (owner is p.data or owner is p.data.base):
            return p.storage
    return None


def _described(names: tuple[str, ...], arrays: list) -> str:
    """Each argument by name, with its shape and dtype."""
    labels = names if len(names) == len(arrays) else tuple(f"argument {i}" for i in range(len(arrays)))
    return "; ".join(
        f"{label} {a.shape} {a.dtype}" if hasattr(a, "dtype") else f"{label} {a!r}" for label, a in zip(labels, arrays)
    )


def _first_bad(out: Array) -> str:
    out = to_device(out, "cpu")
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(out))[0]) if out.ndim else ()
    return f"{out[place]} at {list(place)} of {out.shape}"
