"""Weights in fewer bits: formats, blocks with scales, and a linear layer that computes with packed weights."""

from tinygrad_llm.quantize.blocks import Quantized, Scales, quantize
from tinygrad_llm.quantize.formats import D8, FORMATS, FP4, INT4, INT8, NF4, Format
from tinygrad_llm.quantize.linear import QuantizedLinear, quantize_linear, quantized_linear, unquantize_linear
from tinygrad_llm.quantize.rows import QuantizedRows, quantize_rows

__all__ = [
    "D8",
    "FORMATS",
    "FP4",
    "INT4",
    "INT8",
    "NF4",
    "Format",
    "Quantized",
    "QuantizedLinear",
    "QuantizedRows",
    "Scales",
    "quantize",
    "quantize_linear",
    "quantize_rows",
    "quantized_linear",
    "unquantize_linear",
]
