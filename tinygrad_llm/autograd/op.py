"""@op: a function on arrays that returns its value and its derivative becomes an operation on tensors.

    @op
    def square(x):
        def vjp(g, needs):
            return 2 * x * g
        return x * x, vjp

**Parents.** The parameters without a default, and those annotated `Array`, may be tensors; all others are options.
They stand first. Everything else an op may meet (Python numbers, arrays, None) passes through unchanged.

**vjp(g, needs)** gives the gradient of the one parent, or a tuple with one entry a parent. `needs` says which parents
want one. It never writes into g, nor into an array that it did not make, and returns shapes before broadcasting is
undone: `backward` does that for all ops. `vjp` is None where there is no derivative.

`square.array` is the bare function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from tinygrad_llm.autograd.mode import MODE
from tinygrad_llm.autograd.tensor import Node, Storage, Tensor
from tinygrad_llm.backend import Array, namespace, plain
from tinygrad_llm.errors import DtypeError, NonFiniteError, ShapeError, TinygradLLMError


def op(function: Callable[..., tuple[Array, Any]]) -> Callable[..., Tensor]:
    """Makes an operation on tensors of a function on arrays; see the module's text."""
    names, variadic = _parent_names(function)
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
        return _box(name, out, vjp, parents, arrays, casts)

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
    return dtype.kind in "biuf" if dtype is not None else x is None or isinstance(x, int | float)


def _box(name: str, out: Array, vjp: Any, parents: tuple, arrays: list, casts: bool) -> Tensor:
    """The result as a tensor, with a node where a parent wants a gradient."""
    if isinstance(out, np.generic):
        out = np.asarray(out)
    if not casts:  # an operation with an option `dtype` is there to change it
        _check_dtypes(name, out, vjp, arrays)
    mode = MODE.get()
    if mode.watching and out.dtype.kind == "f" and not bool(namespace(out).isfinite(out).all()):
        raise NonFiniteError(
            name, "finite numbers", _first_bad(out), "It made them from these: " + _described((), arrays)
        )
    node = None
    if vjp is not None and mode.recording:
        needs = tuple([isinstance(p, Tensor) and p.requires_grad for p in parents])
        if True in needs:
            node = Node(name, parents, needs, vjp, out)
    return Tensor.result(out, node, _shared_storage(out, parents))


def _check_dtypes(name: str, out: Array, vjp: Any, arrays: list) -> None:
    """float32 in, float32 out: a silent float64 would cost half the speed, and a mixture is a mistake."""
    floats = {a.dtype for a in arrays if hasattr(a, "dtype") and a.dtype.kind == "f"}
    if len(floats) > 1 or (out.dtype.kind == "f" and vjp is not None and floats != {out.dtype}):
        wanted = "one float dtype throughout" if floats else "at least one float argument"
        raise DtypeError(name, wanted, _described((), arrays), "Convert with .astype('float32') or .astype('float64').")


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
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(out))[0]) if out.ndim else ()
    return f"{out[place]} at {list(place)} of {out.shape}"
