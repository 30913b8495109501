"""Where arrays live and how the machine is used: the only folder that knows of more than one array library."""

from tinygrad_llm.backend.arrays import FLOATS, Array, as_array, is_array, namespace, plain
from tinygrad_llm.backend.device import check_device, device_of, to_device
from tinygrad_llm.backend.erf import erf
from tinygrad_llm.backend.gemm import gemm
from tinygrad_llm.backend.memory import keep_freed_pages
from tinygrad_llm.backend.random import KeyedStream
from tinygrad_llm.backend.tiles import row_tiles

__all__ = [
    "FLOATS",
    "Array",
    "KeyedStream",
    "as_array",
    "check_device",
    "device_of",
    "erf",
    "gemm",
    "is_array",
    "keep_freed_pages",
    "namespace",
    "plain",
    "row_tiles",
    "to_device",
]
