"""A linear layer whose weights stay packed: they are unpacked a piece at a time, where they are multiplied.

    model = quantize_linear(model, "**.*_proj", format="nf4", double=True)

It is frozen. What is trained stands beside it (`finetune`), and gradients pass through it to what lies below.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from tinygrad_llm.autograd import Tensor, op
from tinygrad_llm.backend import Array, cast, device_of, gemm, namespace, row_tiles
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.nn import Buffer, Linear, Module, Parameter, replace
from tinygrad_llm.nn.replace import Kind
from tinygrad_llm.ops.matmul import add_bias
from tinygrad_llm.quantize.blocks import Quantized, Scales, quantize, unpacked
from tinygrad_llm.quantize.formats import format_of

UNPACKED_BYTES = 4 * 1024 * 1024
"""Of a matrix, how much is unpacked at once: enough for a product, and no second copy of a large one."""


class QuantizedLinear(Module):
    """y = x W^T + b, W in blocks of a few bits.  (..., I) -> (..., O), bias (O,) or none

    Its state is the packed arrays: `codes`, and `scales`, or with double quantization `scale_codes`, `scale_scales` and
    `scale_offset`. The weights have no gradient; the bias is a Parameter as before.
    """

    def __init__(self, weight: Quantized, bias: Parameter | None = None) -> None:
        if len(weight.shape) != 2:
            raise ShapeError("weight", "(O, I)", weight.shape)
        self.out_features, self.in_features = weight.shape
        self.format, self.block_size = weight.format.name, weight.block_size
        self.codes, self.bias = Buffer(weight.codes), bias
        self.scales = None if isinstance(weight.scales, Scales) else Buffer(weight.scales)
        if isinstance(weight.scales, Scales):
            self.scale_codes, self.scale_scales = Buffer(weight.scales.codes), Buffer(weight.scales.scales)
            self.scale_offset = Buffer(weight.scales.offset)

    @property
    def quantized(self) -> Quantized:
        """The packed arrays."""
        if self.scales is None:
            scales: Any = Scales(self.scale_codes.data, self.scale_scales.data, self.scale_offset.data)
        else:
            scales = self.scales.data
        shape = (self.out_features, self.in_features)
        return Quantized(self.codes.data, scales, shape, format_of(self.format), self.block_size)

    @property
    def weight(self) -> Tensor:
        """W as it is computed with, unpacked anew at each call.  (O, I) float32"""
        return Tensor(self.quantized.dequantized())

    def __call__(self, x: Tensor) -> Tensor:
        return quantized_linear(x, self.bias, weight=self.quantized)


def quantize_linear(
    model: Any, kind: Kind = Linear, *, format: str = "nf4", block_size: int = 64, double: bool = False
) -> Any:
    """A copy of the tree with a QuantizedLinear for every linear layer of a kind (see `nn.replace`).

    Its other parameters are the model's own. Raises ArgumentError where the kind fits what is not a linear layer.
    """

    def packed(path: str, layer: Any) -> QuantizedLinear:
        if not isinstance(layer, Linear):
            raise ArgumentError("kind", "what fits linear layers alone", f"{path}, a {type(layer).__name__}")
        weight = layer.weight.data
        return QuantizedLinear(quantize(weight, format, block_size, double=double), layer.bias).to(device_of(weight))

    return replace(model, kind, packed)


def unquantize_linear(model: Any) -> Any:
    """A copy of the tree with a Linear for every QuantizedLinear, of the weights that it computes with, frozen."""

    def unpacked_layer(_: str, layer: QuantizedLinear) -> Linear:
        twin = Linear.__new__(Linear)
        twin.weight, twin.bias = Parameter(layer.weight.data, requires_grad=False), layer.bias
        return twin.to(layer.device)

    return replace(model, QuantizedLinear, unpacked_layer)


@op
def quantized_linear(x, bias: Array | None = None, *, weight: Quantized):
    """y = x W^T + b.  (..., I), (O,) -> (..., O), W (O, I) packed and a constant

    dL/dx = g W, dL/db = sum over rows of g. Each piece of W is unpacked for its product and forgotten, forward and
    backward.
    """
    outputs, inputs = weight.shape
    if x.shape[-1] != inputs:
        raise ShapeError("x", f"(..., I) with I = {inputs}", x.shape, "The layer was made for another width.")
    rows = math.prod(x.shape[:-1])
    x_NI = x.reshape(rows, inputs)
    y_NO = namespace(x).empty((rows, outputs), x.dtype)
    for part, w in _unpacked_rows(weight):
        gemm(x_NI, cast(w, x.dtype), transpose_b=True, out=y_NO[:, part])
    if bias is not None:
        add_bias(y_NO, bias)

    def vjp(g, needs):
        g_NO, dx = g.reshape(rows, outputs), None
        for part, w in _unpacked_rows(weight) if needs[0] else ():
            first, dx = dx is None, namespace(x).empty_like(x_NI) if dx is None else dx
            gemm(g_NO[:, part], cast(w, x.dtype), out=dx, accumulate=not first)
        db = g_NO.sum(0, dtype=bias.dtype) if needs[1] else None
        return None if dx is None else dx.reshape(x.shape), db

    return y_NO.reshape(*x.shape[:-1], outputs), vjp


def _unpacked_rows(weight: Quantized) -> Iterator[tuple[slice, Array]]:
    """W some rows at a time, whole blocks each.  -> slice of rows, (rows, I) float32"""
    outputs, inputs = weight.shape
    scales = weight.block_scales()
    together = weight.block_size // math.gcd(inputs, weight.block_size)  # rows that end where a block does
    for groups in row_tiles(-(-outputs // together), together * inputs * 4, UNPACKED_BYTES):
        part = slice(groups.start * together, min(groups.stop * together, outputs))
        start, stop = part.start * inputs, part.stop * inputs
        blocks = slice(start // weight.block_size, -(-stop // weight.block_size))
        half = weight.format.bits == 4
        codes = weight.codes[start // 2 : -(-stop // 2)] if half else weight.codes[start:stop]
        numbers = unpacked(codes, scales[blocks], weight.format, weight.block_size)
        yield part, numbers[: stop - start].reshape(-1, inputs)
