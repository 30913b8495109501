"""The operators and methods of a tensor: each delegates to the function of `tinygrad_llm.ops` of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinygrad_llm.autograd.tensor import Tensor


class Operators:
    """What `Tensor` inherits. `a + b` is `ops.add(a, b)`, and so on."""

    __slots__ = ()

    def __add__(self, other: Any) -> Tensor:
        return _ops().add(self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Tensor:
        return _ops().subtract(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return _ops().subtract(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return _ops().multiply(self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Tensor:
        return _ops().divide(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return _ops().divide(other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return _ops().floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return _ops().floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return _ops().remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return _ops().remainder(other, self)

    def __pow__(self, exponent: Any) -> Tensor:
        return _ops().power(self, exponent)

    def __rpow__(self, base: Any) -> Tensor:
        return _ops().power(base, self)

    def __matmul__(self, other: Any) -> Tensor:
        return _ops().matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return _ops().matmul(other, self)

    def __neg__(self) -> Tensor:
        return _ops().negative(self)

    def __abs__(self) -> Tensor:
        return _ops().absolute(self)

    def __and__(self, other: Any) -> Tensor:
        return _ops().bitwise_and(self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Tensor:
        return _ops().bitwise_or(self, other)

    __ror__ = __or__

    def __invert__(self) -> Tensor:
        return _ops().bitwise_not(self)

    def __getitem__(self, index: Any) -> Tensor:
        return _ops().getitem(self, index=index)

    def __lt__(self, other: Any) -> Tensor:
        return _ops().less(self, other)

    def __le__(self, other: Any) -> Tensor:
        return _ops().less_equal(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return _ops().greater(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return _ops().greater_equal(self, other)

    def __eq__(self, other: Any) -> Tensor:  # type: ignore[override]
        return _ops().equal(self, other)

    def __ne__(self, other: Any) -> Tensor:  # type: ignore[override]
        return _ops().not_equal(self, other)

    __hash__ = object.__hash__  # __eq__ compares entries; as a key, a tensor is itself

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The sum over `axis` (all axes where None)."""
        return _ops().sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The mean over `axis` (all axes where None)."""
        return _ops().mean(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, keepdims: bool = False, correction: int = 0) -> Tensor:
        """The variance over `axis`, the sum of squares divided by n - correction."""
        return _ops().var(self, axis=axis, keepdims=keepdims, correction=correction)

    def std(self, axis: Any = None, keepdims: bool = False, correction: int = 0) -> Tensor:
        """The standard deviation over `axis`, the square root of `var`."""
        return _ops().std(self, axis=axis, keepdims=keepdims, correction=correction)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The product over `axis` (all axes where None)."""
        return _ops().prod(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The largest entry over `axis` (all axes where None)."""
        return _ops().max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The smallest entry over `axis` (all axes where None)."""
        return _ops().min(self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """The position of the largest entry over `axis`; the first of equals."""
        return _ops().argmax(self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """The position of the smallest entry over `axis`; the first of equals."""
        return _ops().argmin(self, axis=axis, keepdims=keepdims)

    def sort(self, axis: int = -1, descending: bool = False) -> tuple[Tensor, Tensor]:
        """The entries in order along `axis`, and the positions where they were."""
        return _ops().sort(self, axis=axis, descending=descending)

    def topk(self, k: int, axis: int = -1, largest: bool = True) -> tuple[Tensor, Tensor]:
        """The k largest (or smallest) entries along `axis`, in order, and their positions."""
        return _ops().topk(self, k, axis=axis, largest=largest)

    def cumsum(self, axis: int = -1) -> Tensor:
        """The running sums along `axis`."""
        return _ops().cumsum(self, axis=axis)

    def clip(self, low: float | None = None, high: float | None = None) -> Tensor:
        """min(max(x, low), high)."""
        return _ops().clip(self, low=low, high=high)

    def abs(self) -> Tensor:
        """The absolute value of each entry."""
        return _ops().absolute(self)

    def sign(self) -> Tensor:
        """-1, 0 or 1 for each entry."""
        return _ops().sign(self)

    def exp(self) -> Tensor:
        """e to the power of each entry."""
        return _ops().exp(self)

    def log(self) -> Tensor:
        """The natural logarithm of each entry."""
        return _ops().log(self)

    def sqrt(self) -> Tensor:
        """The square root of each entry."""
        return _ops().sqrt(self)

    def tanh(self) -> Tensor:
        """The hyperbolic tangent of each entry."""
        return _ops().tanh(self)

    def relu(self) -> Tensor:
        """max(x, 0) for each entry."""
        return _ops().relu(self)

    def sigmoid(self) -> Tensor:
        """1 / (1 + e^-x) for each entry."""
        return _ops().sigmoid(self)

    def gelu(self, approximate: str = "none") -> Tensor:
        """x Phi(x) for each entry."""
        return _ops().gelu(self, approximate=approximate)

    def softmax(self, axis: int = -1) -> Tensor:
        """exp(x_i) / sum_j exp(x_j) along `axis`."""
        return _ops().softmax(self, axis=axis)

    def log_softmax(self, axis: int = -1) -> Tensor:
        """x_i - ln sum_j exp(x_j) along `axis`."""
        return _ops().log_softmax(self, axis=axis)

    def masked_fill(self, mask: Any, value: float) -> Tensor:
        """`value` where the mask is true."""
        return _ops().masked_fill(self, mask, value=value)

    def reshape(self, *shape: Any) -> Tensor:
        """The same entries in another shape; one size may be -1."""
        return _ops().reshape(self, shape=shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)

    def flatten(self, start: int = 0, end: int = -1) -> Tensor:
        """The axes start ... end, both included, as one."""
        return _ops().flatten(self, start, end)

    def squeeze(self, axis: Any = None) -> Tensor:
        """Without the axes of size 1: those of `axis`, all where None."""
        return _ops().squeeze(self, axis=axis)

    def expand_dims(self, axis: Any) -> Tensor:
        """With new axes of size 1 at `axis`; PyTorch's unsqueeze."""
        return _ops().expand_dims(self, axis=axis)

    def broadcast_to(self, *shape: Any) -> Tensor:
        """Stretched to a shape."""
        return _ops().broadcast_to(self, shape=shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)

    def flip(self, axis: Any = None) -> Tensor:
        """The order along `axis` reversed."""
        return _ops().flip(self, axis=axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        """Each entry `repeats` times in a row: NumPy's repeat, PyTorch's repeat_interleave."""
        return _ops().repeat(self, repeats, axis=axis)

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order; reversed where none is given."""
        return _ops().transpose(
            self, axes=(axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes) or None
        )

    def swapaxes(self, a: int, b: int) -> Tensor:
        """Two axes exchanged."""
        return _ops().swapaxes(self, a=a, b=b)

    @property
    def T(self) -> Tensor:
        """The axes reversed."""
        return self.transpose()

    def astype(self, dtype: Any) -> Tensor:
        """The values in another element type; a gradient is cast back."""
        return _ops().astype(self, dtype=dtype)


def _ops() -> Any:
    """The layer above, imported when it is first needed: at import the layers stay a ladder."""
    global _OPS
    if _OPS is None:
        from tinygrad_llm import ops

        _OPS = ops
    return _OPS


_OPS: Any = None
