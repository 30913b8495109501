"""Where arrays live and how the machine is used: the only folder that knows of more than one array library."""

from tinygrad_llm.backend.adjacent import adjacent, equally_spaced, joined, stacked
from tinygrad_llm.backend.arrays import (
    NAMESPACES,
    SUPPORTED,
    Array,
    BoolArray,
    HostArray,
    Operand,
    as_array,
    as_dtype,
    bfloat16,
    is_array,
    is_float,
    is_half,
    is_supported,
    largest_finite,
    namespace,
    positions,
    python_scalar,
    where,
    widened,
)
from tinygrad_llm.backend.device import DEVICES, check_device, device_of, to_device, to_device_of
from tinygrad_llm.backend.elementwise import add, cast
from tinygrad_llm.backend.erf import erf
from tinygrad_llm.backend.fused import fused
from tinygrad_llm.backend.gemm import gemm, matmul, tf32_products
from tinygrad_llm.backend.grouped import grouped_outer, grouped_product, sort_by_group
from tinygrad_llm.backend.memory import keep_freed_pages
from tinygrad_llm.backend.random import DeviceStream, KeyedStream
from tinygrad_llm.backend.rows import sum_over, sum_rows
from tinygrad_llm.backend.threads import blas_threads, threads_here, together
from tinygrad_llm.backend.tiles import row_tiles

__all__ = [
    "DEVICES",
    "NAMESPACES",
    "SUPPORTED",
    "Array",
    "BoolArray",
    "DeviceStream",
    "HostArray",
    "KeyedStream",
    "Operand",
    "add",
    "adjacent",
    "as_array",
    "as_dtype",
    "bfloat16",
    "blas_threads",
    "cast",
    "check_device",
    "device_of",
    "equally_spaced",
    "erf",
    "fused",
    "gemm",
    "grouped_outer",
    "grouped_product",
    "is_array",
    "is_float",
    "is_half",
    "is_supported",
    "joined",
    "keep_freed_pages",
    "largest_finite",
    "matmul",
    "namespace",
    "positions",
    "python_scalar",
    "row_tiles",
    "sort_by_group",
    "stacked",
    "sum_over",
    "sum_rows",
    "tf32_products",
    "threads_here",
    "to_device",
    "to_device_of",
    "together",
    "where",
    "widened",
]
