"""Tensor: an array that records how it was computed.

An operation on tensors computes with their arrays and leaves a `Node` on its result: the parents, and the function
that maps the gradient of the result to gradients of the parents (the vector-Jacobian product).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from tinygrad_llm.autograd.operators import Operators
from tinygrad_llm.backend import DEVICES, Array, as_array, as_dtype, device_of, is_float, to_device
from tinygrad_llm.errors import ArgumentError, DeviceError, DtypeError, GradientError, ShapeError

if TYPE_CHECKING:
    from tinygrad_llm.autograd.sink import GradientSink


def read_only(array: Array) -> Array:
    """A view of a NumPy array that cannot be written through; CuPy has none such, and keeps the array."""
    if type(array) is not np.ndarray:
        return array
    view = array.view()
    view.setflags(write=False)
    return view


def _writable(array: Array) -> Array:
    """The same memory, to be written.  Raises GradientError where its owner does not allow that, or entries share a
    place."""
    if type(array) is not np.ndarray:
        return array
    view = array.view()
    try:
        if array.size and any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape)):
            raise ValueError("broadcast")
        view.setflags(write=True)
    except ValueError as error:
        next_step = "Make the tensor of a copy: Tensor(array.copy())."
        raise GradientError("assign", "memory that can be written", "a read-only array", next_step) from error
    return view


class Storage:
    """The identity of some memory. Every change in place bumps its version, for all tensors that share it."""

    __slots__ = ("version",)

    def __init__(self) -> None:
        self.version = 0


class Node:
    """How a tensor was computed: `vjp(g, needs)` gives the parents' gradients from g, the gradient of the result.

    A node refers to its parents' nodes (for a leaf, to the leaf itself), not to their values: of an intermediate result
    only the arrays that a vjp has captured stay in memory. Its own tensor is a weak reference, for retain_graph.
    """

    __slots__ = ("dtype", "name", "needs", "parents", "seen", "shape", "tensor", "vjp")

    def __init__(self, name: str, parents: tuple, needs: tuple[bool, ...], vjp: Callable[..., Any], out: Array) -> None:
        self.name, self.needs, self.vjp = name, needs, vjp
        self.shape, self.dtype = out.shape, out.dtype
        self.parents: tuple = tuple([(p.node or p) if need else None for p, need in zip(parents, needs)])
        # what the vjp captured must still be what it was: the version of each parent, and of the result
        self.seen = [(p.storage, p.storage.version) for p in parents if isinstance(p, Tensor)]
        self.tensor: Any = None


class Tensor(Operators):
    """An n-dimensional array with a gradient.

    data           the array: booleans, integers, float32, float64 or bfloat16. Lists of floats become float32.
    requires_grad  whether backward() computes dL/d(this). Only floats can.
    grad           dL/d(this) after backward(), an array of the same shape and dtype; None before.

    Arithmetic never changes a tensor; it makes a new one. `x.assign(array)` changes a leaf in place, and earlier graphs
    notice it. The memory is that of the array it was made of, if that was one; on the CPU a leaf's `data` cannot be
    written through. What no graph can see: a change through the array it was made of, or of CuPy's arrays, or of the
    `data` of a result.
    """

    __slots__ = ("__weakref__", "data", "grad", "node", "requires_grad", "storage")
    __array_ufunc__ = None  # numpy_array + tensor is then tensor.__radd__

    data: Array
    grad: Array | None
    node: Node | None
    storage: Storage
    requires_grad: bool

    def __init__(self, data: Any, requires_grad: bool = False, *, dtype: Any = None) -> None:
        self.data = read_only(as_array(data.data if isinstance(data, Tensor) else data, dtype))
        if requires_grad and not is_float(self.data.dtype):
            raise DtypeError(
                "requires_grad", "float32, float64 or bfloat16", self.data.dtype, "Only floats have derivatives."
            )
        self.grad, self.node, self.requires_grad, self.storage = None, None, requires_grad, Storage()

    @classmethod
    def result(cls, data: Array, node: Node | None, storage: Storage | None) -> Tensor:
        """What an operation returns: not a leaf when it has a node.  storage: whose memory it is, its own if None."""
        tensor = Tensor.__new__(Tensor)
        tensor.data, tensor.node, tensor.grad, tensor.storage = data, node, None, storage or Storage()
        tensor.requires_grad = node is not None
        if node is not None:
            node.tensor = ref(tensor)
            node.seen.append((tensor.storage, tensor.storage.version))
        return tensor

    # -- what it is ----------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.data.size

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self.data.dtype

    @property
    def device(self) -> str:
        """ "cpu" or "cuda"."""
        return device_of(self.data)

    def numpy(self) -> np.ndarray:
        """The values as a NumPy array, without a copy where there is none to make: copy it to change it."""
        return to_device(self.data, "cpu")

    def item(self) -> Any:
        """The one entry as a Python number."""
        if self.size != 1:
            raise ShapeError(
                "item", "a tensor of one entry", f"shape {self.shape}", "Reduce it first: x.sum() or x.mean()."
            )
        return self.data.item()

    def detach(self) -> Tensor:
        """The same values, outside the graph."""
        return Tensor.result(self.data, None, self.storage)

    def __repr__(self) -> str:
        made = f", made by {self.node.name}" if self.node else ", requires_grad=True" if self.requires_grad else ""
        return f"Tensor({np.array2string(self.numpy(), prefix='Tensor(')}, dtype={self.dtype}{made})"

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("len", "at least one axis", "a tensor with none")
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.size != 1:
            next_step = "Say which you mean: .data.any() or .data.all()."
            raise ShapeError("bool", "a tensor of one entry", f"shape {self.shape}", next_step)
        return bool(self.data.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """What NumPy's functions see: the values.  Raises GradientError for a tensor that requires a gradient, which
        they would lose, and DeviceError for one on a GPU, which they would copy and wait for."""
        if self.requires_grad:
            next_step = "Use the functions of tinygrad_llm.ops, or x.detach() or x.numpy() for the values alone."
            raise GradientError("array", "a tensor without a gradient", "one that requires a gradient", next_step)
        if self.device != "cpu":
            raise DeviceError("array", "a tensor on the CPU", f"one on {self.device}", "Use x.numpy() to copy it.")
        return np.array(self.data, dtype, copy=copy)

    def to(self, target: Any) -> Tensor:
        """On another device ("cpu", "cuda"), or in another dtype ("float64", "bfloat16", numpy.float32)."""
        if isinstance(target, str) and target in DEVICES:
            moved = to_device(self.data, target)
            return self if moved is self.data else Tensor(moved, self.requires_grad)
        try:
            return self.astype(as_dtype(target))
        except TypeError as error:
            raise ArgumentError("to", "a device or a dtype", repr(target)) from error

    # -- changing a leaf in place --------------------------------------------------------------------------------

    def assign(self, values: Any) -> Tensor:
        """Copies `values` into this leaf's memory and bumps the version, so that earlier graphs notice it.

        Raises GradientError for what is no leaf, or lies in memory that cannot be written; ShapeError.
        """
        values = values.data if isinstance(values, Tensor) else values
        if self.node is not None:
            next_step = "Make a new tensor instead, or .detach() it first."
            raise GradientError("assign", "a leaf", f"a tensor made by {self.node.name}", next_step)
        values = values if hasattr(values, "dtype") else np.asarray(values)
        if values.shape != self.shape:
            raise ShapeError("assign", f"shape {self.shape}", values.shape)
        _writable(self.data)[...] = to_device(values, self.device)
        self.storage.version += 1
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        next_step = "Use where(), concat() or pad() to make a new tensor, or assign() to replace a leaf's values."
        raise GradientError("tensor[...] = value", "no change in place", "one", next_step)

    # -- differentiation -----------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, *, retain_graph: bool = False, into: GradientSink | None = None) -> None:
        """Computes dL/dx for every leaf x that L = this depends on, and adds it to x.grad (or to the sink `into`).

        gradient      dL/d(this), of this shape; 1 where this is a single number.
        retain_graph  keeps the graph for another call, and leaves the gradients of intermediates in their .grad.

        Raises GradientError where nothing requires a gradient, where the graph is gone already, or where a tensor was
        changed in place, by `assign` or an optimizer, after it was used.
        """
        from tinygrad_llm.autograd.backward import backward

        backward(self, gradient, retain_graph, into)
