"""Automatic differentiation: operations record a graph, and backward() applies the chain rule to it in reverse."""

from tinygrad_llm.autograd.gradcheck import gradcheck
from tinygrad_llm.autograd.mode import detect_anomaly, no_grad
from tinygrad_llm.autograd.op import op
from tinygrad_llm.autograd.scalar import Value
from tinygrad_llm.autograd.sink import WRITTEN, GradientSink, Place, all_written, places_alike, product_gradient, taken
from tinygrad_llm.autograd.tensor import Storage, Tensor, read_only

__all__ = [
    "WRITTEN",
    "GradientSink",
    "Place",
    "Storage",
    "Tensor",
    "Value",
    "all_written",
    "detect_anomaly",
    "gradcheck",
    "no_grad",
    "op",
    "places_alike",
    "product_gradient",
    "read_only",
    "taken",
]
