"""Compiles CUDA kernels with g++ and launches them on the CPU, as strictly as a GPU would be used.

compiled = compile_text(source("norm"))
compiled.launch("rms_norm_forward_float32", grid=rows, block=256, args=(x, w, y, r, np.int32(rows), ...))
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
HEADER = FOLDER / "cuda_on_cpu.h"
COMPILER = "g++"
MOST_SHARED_BYTES = 227 * 1024
MOST_THREADS, WARP = 1024, 32
GRID_LIMITS = (2**31 - 1, 65535, 65535)

FLAGS = ("-std=c++20", "-DCUDA_ON_CPU", "-g1", "-fPIC", "-fno-strict-aliasing", "-U_FORTIFY_SOURCE", "-Wno-attributes")
SANITIZERS = {
    None: ("-O2",),
    "thread": ("-O1", "-fsanitize=thread", "-fno-omit-frame-pointer"),
    "address": ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"),
}

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

_BOUND = r"(?:__attribute__\s*\(\(launch_bounds\((?P<{}>[^()]*)\)\)\)\s*)?"
_KERNEL = re.compile(
    r'extern\s+"C"\s+__attribute__\s*\(\(noipa\)\)\s*'
    + _BOUND.format("bound")
    + r"void\s+"
    + _BOUND.format("bound_too")
    + r"(?P<name>\w+)\s*\((?P<parameters>[^)]*)\)\s*\{"
)
_TRAMPOLINE = """
extern "C" {{ extern const int bound_{name} = {bound}; }}
extern "C" const char* run_{name}(void** arguments, unsigned int* sizes, long long shared_bytes, int reverse) {{
  cuda_on_cpu::Launch launch = {{{{sizes[0], sizes[1], sizes[2]}}, {{sizes[3], 1, 1}}, shared_bytes, reverse,
                                [](void** arguments) {{ {name}({values}); }}, arguments}};
  return cuda_on_cpu::run_grid(launch);
}}
"""


class KernelError(RuntimeError):
    """A kernel did what a GPU would not forgive, such as a barrier that some threads never reach."""


def compile_text(text: str, *, threads: bool = False, sanitize: str | None = None) -> Compiled:
    """The kernels of one CUDA text. Raises RuntimeError with the compiler's message.

    threads: a thread of the operating system for each CUDA thread, as the sanitizers need it; else fibers.
    sanitize: "thread" or "address"; the process must then have been started as `sanitized.py` starts it.
    """
    if sanitize and not threads:
        raise ValueError("a sanitizer needs threads=True")
    path = build(text, threads, sanitize)
    return Compiled(ctypes.CDLL(str(path)), kernels_in(path.with_suffix(".ii").read_text(encoding="utf-8")))


def available() -> bool:
    """Whether there is a compiler."""
    return shutil.which(COMPILER) is not None


@functools.cache
def cache_folder() -> Path:
    """Where compiled kernels stay from one run to the next."""
    base = os.environ.get("XDG_CACHE_HOME")
    user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    folder = Path(base) if base else Path(tempfile.gettempdir()) / f"tinygrad_llm-{user}"
    folder = folder / "cuda_on_cpu"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def build(text: str, threads: bool = False, sanitize: str | None = None) -> Path:
    """The shared library for a text, made unless it is there already. Several processes may ask at once."""
    flags = [*FLAGS, *SANITIZERS[sanitize]]
    flags += ["-DCUDA_ON_THREADS", "-pthread"] if threads else ["-fno-weak"]
    headers = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.h"))]
    key = hashlib.sha256("\0".join([text, *headers, *flags, _TRAMPOLINE]).encode()).hexdigest()[:24]
    library = cache_folder() / f"{key}.so"
    if not library.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as own:
            _make(text, flags, Path(own), library)
    return library


def _make(text: str, flags: list[str], own: Path, library: Path) -> None:
    (own / "kernel.cu").write_text(text, encoding="utf-8")
    _run(COMPILER, *flags, "-include", str(HEADER), "-E", "-x", "c++", "kernel.cu", "-o", "kernel.ii", cwd=own)
    expanded = (own / "kernel.ii").read_text(encoding="utf-8")
    found = list(_kernels(expanded))
    if not found:
        raise RuntimeError('no kernel in this text: each begins with extern "C" __global__ void NAME(')
    whole = own / "whole.ii"
    whole.write_text(expanded + "".join(_trampoline(*kernel) for kernel in found), encoding="utf-8")
    _run(COMPILER, *flags, "-shared", "-x", "c++-cpp-output", str(whole), "-o", "kernel.so", cwd=own)
    os.replace(own / "kernel.ii", library.with_suffix(".ii"))  # first: who sees the library finds this too
    os.replace(own / "kernel.so", library)


def _run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{COMPILER} refuses the kernels:\n{done.stderr}")


def _trampoline(name: str, types: list[str], bound: str) -> str:
    values = ", ".join(f"*({t}*)arguments[{i}]" for i, t in enumerate(types))
    return _TRAMPOLINE.format(name=name, values=values, bound=bound)


def _kernels(expanded: str) -> Iterator[tuple[str, list[str], str]]:
    for m in _KERNEL.finditer(re.sub(r"^#.*$", "", expanded, flags=re.MULTILINE)):
        types = [c_type(part) for part in m["parameters"].split(",") if part.strip()]
        yield m["name"], types, m["bound"] or m["bound_too"] or str(MOST_THREADS)


def kernels_in(expanded: str) -> dict[str, list[str]]:
    """Each kernel's name and the C types of its parameters, from the text that the preprocessor has gone over."""
    return {name: types for name, types, _ in _kernels(expanded)}


def c_type(parameter: str) -> str:
    """The type of `const float* __restrict__ x`: `const float*`. Spelled in one way only."""
    parameter = re.sub(r"\b__restrict(__)?\b", " ", parameter)
    kind, star, _ = re.fullmatch(r"\s*(.*?)\s*(\*?)\s*(\w+)\s*", parameter, re.DOTALL).groups()
    words = kind.split()
    constant = "const " if "const" in words else ""
    kind = " ".join(word for word in words if word != "const")
    kind = {"unsigned": "unsigned int", "long long int": "long long", "float32": "float"}.get(kind, kind)
    return (constant if star else "") + kind + star


class Compiled:
    """The kernels of one text, ready to be launched. `kernels` maps a name to the C types of its parameters."""

    def __init__(self, library: ctypes.CDLL, kernels: dict[str, list[str]]):
        self.kernels = kernels
        self._library = library
        self._lock = threading.Lock()  # the engine is one for the whole library

    def launch(
        self,
        name: str,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        args: Sequence[Any],
        shared_bytes: int = 0,
        *,
        reverse: bool = False,
    ) -> None:
        """Runs every block of the grid.

        An argument is an array or None or an address for a pointer, and a NumPy scalar of exactly the parameter's type
        for anything else. TypeError for an argument, ValueError for a size, KernelError for what the kernel does.
        reverse: the last block, warp and lane first. The result must be the same, or the kernel has a race.
        """
        if name not in self.kernels:
            raise KeyError(f"no kernel {name}: there are {', '.join(self.kernels)}")
        types = self.kernels[name]
        if len(args) != len(types):
            raise TypeError(f"{name} takes {len(types)} arguments ({', '.join(types)}), got {len(args)}")
        values = [_value(f"{name}: argument {i}", t, a) for i, (t, a) in enumerate(zip(types, args))]
        *sides, threads = _sizes(name, grid, block)
        if threads > (bound := ctypes.c_int.in_dll(self._library, f"bound_{name}").value):
            raise ValueError(f"{name}: {threads} threads, its __launch_bounds__ allow {bound}")
        if not 0 <= shared_bytes <= MOST_SHARED_BYTES:
            raise ValueError(f"{name}: {shared_bytes} bytes of shared memory, a block has at most {MOST_SHARED_BYTES}")
        pointers = (ctypes.c_void_p * len(values))(*(v.ctypes.data for v in values))
        sizes = (ctypes.c_uint * 4)(*sides, threads)
        function = getattr(self._library, f"run_{name}")
        function.restype = ctypes.c_char_p
        with self._lock:
            message = function(pointers, sizes, ctypes.c_longlong(shared_bytes), int(reverse))
        if message:
            raise KernelError(f"{name}: {message.decode()}")


def _sizes(name: str, grid: int | Sequence[int], block: int | Sequence[int]) -> list[int]:
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


def _value(label: str, kind: str, given: Any) -> np.ndarray:
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
