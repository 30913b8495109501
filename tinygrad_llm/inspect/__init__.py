"""Pictures of what happens: SVG written here, PNG where matplotlib is installed."""

from tinygrad_llm.inspect.chart import Line, bar_chart, heat_map, line_chart
from tinygrad_llm.inspect.curves import loss_curve
from tinygrad_llm.inspect.figure import Figure
from tinygrad_llm.inspect.graph import graph_figure

__all__ = ["Figure", "Line", "bar_chart", "graph_figure", "heat_map", "line_chart", "loss_curve"]
