"""Charts and diagrams: SVG written here, PNG where matplotlib is installed."""

from tinygrad_llm.visualize.attention import ablate_heads, attention_figure, attention_text, attention_weights
from tinygrad_llm.visualize.bars import bar_chart, grouped_bars
from tinygrad_llm.visualize.chart import Line, heat_map, line_chart
from tinygrad_llm.visualize.curves import loss_curve, trailing_mean
from tinygrad_llm.visualize.figure import Figure
from tinygrad_llm.visualize.graph import graph_figure
from tinygrad_llm.visualize.long_text import attention_strips, in_blocks
from tinygrad_llm.visualize.next_token import next_token_bars
from tinygrad_llm.visualize.pictures import patches_figure
from tinygrad_llm.visualize.routing import routed_text
from tinygrad_llm.visualize.words import visible

__all__ = [
    "Figure",
    "Line",
    "ablate_heads",
    "attention_figure",
    "attention_strips",
    "attention_text",
    "attention_weights",
    "bar_chart",
    "graph_figure",
    "grouped_bars",
    "heat_map",
    "in_blocks",
    "line_chart",
    "loss_curve",
    "next_token_bars",
    "patches_figure",
    "routed_text",
    "trailing_mean",
    "visible",
]  # fmt: skip
