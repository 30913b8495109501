"""@op: a function on arrays that returns its value and its derivative becomes an operation on tensors.

    @op
    def square(x):
        def vjp(g, needs):
            return 2 * x * g
        return x * x, vjp

**Parents.** Parameters without a default may be tensors, and so may those whose annotation says so: `Array`,
`np.ndarray` or `Tensor`, also `Array | None`. All others are options. Parents stand first. Python numbers and None pass
through unchanged. An array that is no tensor is moved to the tensors' device, unless its parameter is annotated
`HostArray`: then the op does that, after it has checked the values.

**Element types.** A float result has the type of the float arguments; `promotion` has the rules.

**vjp(g, needs)** gives the gradient of the one parent, or a tuple with one entry a parent. `needs` says which parents
require one, and of some more than that: where a leaf's gradient is to be written (`sink.Place`), what there is of an
intermediate's already (`sink.SoFar`). It never writes into g, nor into an array that it did not make, and returns
shapes before broadcasting is undone: `backward` does that for all ops, and rounds to bfloat16 what CuPy computed in
float32. `vjp` is None where there is no derivative.

NumPy scalars reach the function as Python's numbers, among the options too.

`square.array` is the function on arrays itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np

from tinygrad_llm.autograd.mode import MODE
from tinygrad_llm.autograd.promotion import Integers, Rule, computable, rule_for
from tinygrad_llm.autograd.tensor import Node, Storage, Tensor
from tinygrad_llm.backend import (
    NAMESPACES,
    SUPPORTED,
    Array,
    Operand,
    cast,
    is_array,
    is_float,
    is_half,
    namespace,
    python_scalar,
    to_device,
    to_device_of,
)
from tinygrad_llm.errors import ArgumentError, DeviceError, DtypeError, NonFiniteError, ShapeError, TinygradLLMError


def op(
    function: Callable[..., tuple[Array, Any]] | None = None,
    *,
    integers: Integers = "keep",
    accumulates: bool = False,
    casts: bool = False,
) -> Any:
    """Makes an operation on tensors of a function on arrays; see the module's text.

    integers     what becomes of integers among the arguments: see `promotion.Integers`.
    accumulates  bfloat16 activations have a float32 result, as a loss needs more than eight bits.
    casts        the result has another element type than the arguments, on purpose.
    """
    if function is None:
        return partial(_operation, integers=integers, accumulates=accumulates, casts=casts)
    return _operation(function, integers, accumulates, casts)


def _operation(
    function: Callable[..., tuple[Array, Any]], integers: Integers, accumulates: bool, casts: bool
) -> Callable[..., Tensor]:
    parameters = _parents(function)
    names, count, variadic, name = parameters.names, len(parameters.names), parameters.variadic, parameters.op
    rules: dict[tuple, Rule] = {}  # by the kinds of the arguments

    @wraps(function)
    def call(*args: Any, **options: Any) -> Tensor:
        rest: tuple = ()
        if not variadic and len(args) != count:
            args, rest = args[:count], args[count:]
            args += tuple([options.pop(missing, None) for missing in names[len(args) :]])
        if rest:
            rest = tuple(map(python_scalar, rest))
        for option, given in options.items():
            if isinstance(given, np.generic):  # neither a dtype that spreads nor an axis that is no int
                options[option] = given.item()
        arrays, kinds = [], []
        for x in args:
            if isinstance(x, Tensor):
                x = x.data
            elif isinstance(x, np.generic):  # np.float64(2) would make float64 of float32, 2.0 does not
                x = x.item()
            arrays.append(x)
            kinds.append(x.dtype if type(x) in NAMESPACES else getattr(x, "dtype", type(x)))
        if len(NAMESPACES) > 1:  # a GPU is in use
            arrays = _on_one_device(parameters, args, arrays)
        rule = rules.get(key := tuple(kinds))
        if rule is None:
            rule = rules[key] = _new_rule(parameters, kinds, arrays, integers, accumulates)
        if rule.casts is not None:
            arrays = [a if to is None else a.astype(to) for a, to in zip(arrays, rule.casts)]
        try:
            result = function(*arrays, *rest, **options)
        except TinygradLLMError:
            raise
        except (ValueError, IndexError, ZeroDivisionError) as error:
            raise ShapeError(name, "arguments that fit one another", _described(names, arrays), f"{error}.") from error
        except (TypeError, AttributeError, OverflowError) as error:
            raise DtypeError(name, "arguments that fit one another", _described(names, arrays), f"{error}.") from error
        out: Any
        out, vjp = result if type(result) is tuple and len(result) == 2 else (None, None)
        if type(out) not in NAMESPACES:
            out = _value(name, result)
        if (rule.refused or out.dtype is not rule.result) and not casts:
            out = _checked_result(name, names, out, vjp, arrays, rule)
        mode = MODE.get()
        if mode.detect_anomaly:
            _check_finite(name, out, arrays)
        node = None
        if vjp is not None and mode.grad_enabled:
            needs = tuple([isinstance(x, Tensor) and x.requires_grad for x in args])
            if True in needs:
                node = Node(name, args, needs, vjp, out)
        return Tensor.result(out, node, _shared_storage(out, args))

    call.array = function  # type: ignore[attr-defined]
    return call


# -- once for each operation: which parameters are parents --------------------------------------------------------


class Parents(NamedTuple):
    """The parameters of an op that may be tensors, by name, and how each is marked."""

    op: str
    names: tuple[str, ...]
    marks: tuple[Operand, ...]
    variadic: bool

    def numbers(self, count: int) -> list[bool]:
        """Which of `count` arguments are numbers to compute with."""
        return [mark.is_number for mark in self.marks] if not self.variadic else [True] * count

    def on_host(self, count: int) -> list[bool]:
        """Which of `count` arguments stay on the host."""
        return [mark.on_host for mark in self.marks] if not self.variadic else [False] * count


def _parents(function: Callable) -> Parents:
    name = function.__name__.lstrip("_")
    try:
        annotations = get_type_hints(function, include_extras=True)
    except Exception as error:  # whatever the text of an annotation raises
        next_step = "Import what it names at the top of the module, or leave the annotation out."
        raise ArgumentError(name, "annotations that can be evaluated", f"{error!r}", next_step) from error
    parameters = list(inspect.signature(function).parameters.values())
    if parameters and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return Parents(name, (parameters[0].name,), (Operand(),), True)
    marks = [_mark(p, annotations.get(p.name)) for p in parameters]
    parents = [(p.name, mark) for p, mark in zip(parameters, marks) if mark is not None]
    if not parents or None in marks[: len(parents)]:
        got = str(inspect.signature(function))
        next_step = "Give options a default, and let them stand after the arrays."
        raise ArgumentError(name, "parameters for arrays, then options", got, next_step)
    names, operands = zip(*parents)
    return Parents(name, names, operands, False)


def _mark(parameter: inspect.Parameter, annotation: Any) -> Operand | None:
    """How a parameter takes tensors; None for an option."""
    if parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD):
        return None
    return _operand_in(annotation) or (Operand() if parameter.default is parameter.empty else None)


def _operand_in(annotation: Any) -> Operand | None:
    """What an annotation, or a member of a union, says of arrays."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return next((x for x in annotation.__metadata__ if isinstance(x, Operand)), _operand_in(annotation.__origin__))
    if origin in (Union, UnionType):
        return next(filter(None, map(_operand_in, get_args(annotation))), None)
    kind = origin or annotation
    return Operand() if isinstance(kind, type) and issubclass(kind, np.ndarray | Tensor) else None


def _new_rule(parameters: Parents, kinds: list, arrays: list, integers: Integers, accumulates: bool) -> Rule:
    """The rule for arguments of these kinds.  Raises DtypeError where there is none."""
    described = _described(parameters.names, arrays)
    if not all(map(computable, kinds)):
        expected = f"tensors, arrays and numbers ({SUPPORTED}, as this machine orders bytes)"
        next_step = "Convert it first: x.astype('float32')." if any(map(is_array, arrays)) else ""
        raise DtypeError(parameters.op, expected, described, next_step)
    rule = rule_for(kinds, parameters.numbers(len(kinds)), integers, accumulates)
    if rule.refused and rule.result is None:
        next_step = "Convert with .astype('float32') or .astype('float64')."
        raise DtypeError(parameters.op, "at least one float argument", described, next_step)
    return rule


# -- once for each call -------------------------------------------------------------------------------------------


def _on_one_device(parameters: Parents, args: tuple, arrays: list) -> list:
    """Arrays of the host, moved to the first tensor's GPU, if there is one.  Raises DeviceError for tensors on both."""
    leader = next((a for a in arrays if hasattr(a, "dtype") and type(a) is not np.ndarray), None)
    if leader is None:
        return arrays
    for x, a in zip(args, arrays):
        if isinstance(x, Tensor) and type(a) is np.ndarray:
            got = f"one of shape {x.shape} on the CPU beside one on a GPU"
            raise DeviceError(parameters.op, "tensors on one device", got, "Move it first: x.to('cuda').")
    return [a if stays else to_device_of(a, leader) for a, stays in zip(arrays, parameters.on_host(len(arrays)))]


def _value(name: str, result: Any) -> Array:
    """The value in a function's result, a NumPy scalar as an array.  Raises DtypeError for anything else."""
    out = result[0] if type(result) is tuple and len(result) == 2 else None
    if isinstance(out, np.generic):
        return np.asarray(out)
    if not is_array(out):
        got = f"a {type(result).__name__}" if out is None else f"a {type(out).__name__} as the value"
        raise DtypeError(name, "an array, and the function of its derivative or None", got, "Return both.")
    return out


def _checked_result(name: str, names: tuple[str, ...], out: Array, vjp: Any, arrays: list, rule: Rule) -> Array:
    """The result, rounded where CuPy computes with bfloat16 in float32, as it does in `0.5 * x`.

    Raises DtypeError for two float types, and for a float result that has none of the arguments' type.
    """
    kept = rule.result is not None and out.dtype == rule.result  # np.dtype("float64") == None holds
    if not rule.refused and (kept or vjp is None or not is_float(out.dtype)):
        return out
    if not rule.refused and rule.result is not None and is_half(rule.result) and out.dtype == np.float32:
        return cast(out, rule.result)
    first = next((a.dtype for a in arrays if hasattr(a, "dtype") and is_float(a.dtype)), None)
    others = [
        f"{label}.astype({str(first)!r})"
        for label, a in zip(_labels(names, arrays), arrays)
        if first is not None and hasattr(a, "dtype") and a.dtype != first
    ]
    next_step = f"Write {', '.join(others)}." if others else "Convert with .astype('float32') or .astype('float64')."
    wanted = "one float dtype throughout" if first is not None else "at least one float argument"
    raise DtypeError(name, wanted, f"{_described(names, arrays)} -> {out.dtype}", next_step)


def _check_finite(name: str, out: Array, arrays: list) -> None:
    """Raises NonFiniteError with the first entry that is NaN or infinite."""
    if not is_float(out.dtype) or bool(namespace(out).isfinite(out).all()):
        return
    out = to_device(out, "cpu")
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(out))[0]) if out.ndim else ()
    got, next_step = f"{out[place]} at {list(place)} of {out.shape}", f"Its arguments were {_described((), arrays)}."
    raise NonFiniteError(name, "finite numbers", got, next_step)


def _shared_storage(out: Array, args: tuple) -> Storage | None:
    """The storage of the parent that `out` is, or is a view of, so that both share one version counter."""
    owner = out if out.base is None else out.base
    for x in args:
        if isinstance(x, Tensor) and (owner is x.data or owner is x.data.base):
            return x.storage
    return None


def _labels(names: tuple[str, ...], arrays: list) -> tuple[str, ...]:
    return names if len(names) == len(arrays) else tuple(f"argument {i}" for i in range(len(arrays)))


def _described(names: tuple[str, ...], arrays: list) -> str:
    """Each argument by name, with its shape and dtype."""
    return "; ".join(
        f"{label} {a.shape} {a.dtype}" if hasattr(a, "dtype") else f"{label} {a!r}"
        for label, a in zip(_labels(names, arrays), arrays)
    )
