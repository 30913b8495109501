"""What a kernel may be launched with. As strict as a GPU is unforgiving: there, a wrong argument is read as if it were right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

MOST_SHARED_BYTES = 227 * 1024
MOST_THREADS, WARP = 1024, 32
GRID_LIMITS = (2**31 - 1, 65535, 65535)

SCALARS = {
    "int": np.int32,
    "unsigned int": np.uint32,
    "long long": np.int64,
    "unsigned long long": np.uint64,
    "float": np.float32,
    "double": np.float64,
    "bool": np.bool_,
}
ELEMENTS = {
    **{name: (np.dtype(t).name,) for name, t in SCALARS.items()},
    "bfloat16": ("bfloat16", "uint16"),
    "unsigned short": ("uint16",),
    "short": ("int16",),
    "unsigned char": ("uint8",),
    "signed char": ("int8",),
    **{
        f"{name}{n}": (t,) for name, t in {"float": "float32", "int": "int32", "uint": "uint32"}.items() for n in (2, 4)
    },
}
"""Which NumPy dtypes a C pointer may point to."""


def arguments(name: str, types: Sequence[str], args: Sequence[Any]) -> list[np.ndarray]:
    """Each argument as memory of its C type; a pointer as its address. TypeError says which argument is wrong."""
    if len(args) != len(types):
        raise TypeError(f"{name} takes {len(types)} arguments ({', '.join(types)}), got {len(args)}")
    return [argument(f"{name}: argument {i}", t, a) for i, (t, a) in enumerate(zip(types, args))]


def check_shared(name: str, shared_bytes: int) -> None:
    """ValueError where no GPU has that much."""
    if not 0 <= shared_bytes <= MOST_SHARED_BYTES:
        raise ValueError(f"{name}: {shared_bytes} bytes of shared memory, a block has at most {MOST_SHARED_BYTES}")


def launch_sizes(name: str, grid: int | Sequence[int], block: int | Sequence[int]) -> list[int]:
    """The grid's three sides and the number of threads, checked."""
    sides = [*((grid,) if isinstance(grid, int | np.integer) else grid)]
    sides += [1] * (3 - len(sides))
    for side, limit in zip(sides, GRID_LIMITS):
        if not 1 <= side <= limit:
            raise ValueError(f"{name}: grid {grid}: each side is from 1 to {GRID_LIMITS}")
    if not isinstance(block, int | np.integer):
        if any(side != 1 for side in block[1:]):
            raise ValueError(f"{name}: block {block}: our blocks have one dimension")
        block = block[0]
    if not 0 < block <= MOST_THREADS or block % WARP:
        raise ValueError(f"{name}: block {block}: whole warps of {WARP}, and at most {MOST_THREADS} threads")
    return [*map(int, sides), int(block)]


def argument(label: str, kind: str, given: Any) -> np.ndarray:
    """An argument as memory that the trampoline reads it from."""
    if kind.endswith("*"):
        return np.array(_address(label, kind, given), np.uint64)
    if isinstance(given, bool | int | float) and not isinstance(given, np.generic):
        # CuPy passes these as long long, double and bool, whatever the kernel's type is.
        given = {bool: np.bool_, int: np.int64, float: np.float64}[type(given)](given)
    wanted = SCALARS[kind]
    if type(given) is not np.dtype(wanted).type:
        raise TypeError(f"{label}: {kind} wants np.{np.dtype(wanted).name}, got {type(given).__name__}")
    return np.array(given)


def _address(label: str, kind: str, given: Any) -> int:
    if given is None:
        return 0
    if isinstance(given, int | np.uint64) and not isinstance(given, bool):
        return int(given)
    if not isinstance(given, np.ndarray):
        raise TypeError(f"{label}: {kind} wants an array, None or an address, got {type(given).__name__}")
    element = kind.removesuffix("*").removeprefix("const ")
    if element != "void" and given.dtype.name not in ELEMENTS[element]:
        raise TypeError(f"{label}: {kind} wants an array of {' or '.join(ELEMENTS[element])}, got {given.dtype}")
    if not given.flags.c_contiguous:
        raise TypeError(f"{label}: an array that is not C-contiguous: shape {given.shape}, strides {given.strides}")
    if not given.flags.writeable and not kind.startswith("const "):
        raise TypeError(f"{label}: {kind} is written to, and the array is read-only")
    return given.ctypes.data
