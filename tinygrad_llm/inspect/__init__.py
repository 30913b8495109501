"""Pictures of what happens: SVG written here, PNG where matplotlib is installed."""

from tinygrad_llm.inspect.curves import loss_curve
from tinygrad_llm.inspect.figure import Figure

__all__ = ["Figure", "loss_curve"]
