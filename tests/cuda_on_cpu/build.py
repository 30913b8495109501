"""Compiles CUDA kernels with g++ and launches them on the CPU, as strictly as a GPU would be used.

compiled = compile_text(source("norm"))
compiled.launch("rms_norm_forward_float32", grid=rows, block=256, args=(x, w, y, r, np.int32(rows), ...))
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import mmap
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cuda_on_cpu.arguments import MOST_THREADS, arguments, check_shared, launch_sizes

FOLDER = Path(__file__).parent
HEADER = FOLDER / "cuda_on_cpu.h"
COMPILER = "g++"
WEEK = 7 * 24 * 3600

# Hidden and not unique: two libraries in one process must not share an engine.
FLAGS = (
    "-std=c++20",
    "-DCUDA_ON_CPU",
    "-g1",
    "-fPIC",
    "-fno-strict-aliasing",
    "-fvisibility=hidden",
    "-fno-gnu-unique",
    "-U_FORTIFY_SOURCE",
    "-Wno-attributes",
)
SANITIZERS = {
    None: ("-O2", "-fstack-clash-protection", "-fsanitize=alignment,bounds", "-fsanitize-undefined-trap-on-error"),
    "thread": ("-O1", "-fsanitize=thread", "-fno-omit-frame-pointer"),
    "address": ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"),
}

_BOUND = r"(?:__attribute__\s*\(\(launch_bounds\((?P<{}>[^()]*)\)\)\)\s*)?"
_KERNEL = re.compile(
    r'extern\s+"C"\s+__attribute__\s*\(\(noipa\)\)\s*'
    + _BOUND.format("bound")
    + r"void\s+"
    + _BOUND.format("bound_too")
    + r"(?P<name>\w+)\s*\((?P<parameters>[^)]*)\)\s*\{"
)
_SHARED = re.compile(
    r"static\s+__attribute__\s*\(\(cuda_shared\)\)(?P<type>[^;=]*?)\b(?P<name>\w+)\s*(?:\[[^\[\];]*\]\s*)*;"
)
_TRAMPOLINE = """
#pragma GCC visibility push(default)
extern "C" {{ extern const int bound_{name} = {bound}; }}
extern "C" const char* run_{name}(void** arguments, unsigned int* sizes, long long shared_bytes, int reverse,
                                 void* stacks) {{
  cuda_on_cpu::Launch launch = {{{{sizes[0], sizes[1], sizes[2]}}, {{sizes[3], 1, 1}}, shared_bytes, reverse,
                                [](void** arguments) {{ {name}({values}); }}, arguments, stacks}};
  return cuda_on_cpu::run_grid(launch);
}}
#pragma GCC visibility pop
"""
_PROGRAM = """
int main(int argc, char** argv) {{
  const cuda_on_cpu::Entry entries[] = {{{entries}}};
  return cuda_on_cpu::program(argc, argv, entries);
}}
"""


STACK_BYTES = 128 * 1024
_LOCK = threading.Lock()
"""One launch at a time: all libraries use the same stacks."""


@functools.cache
def _stacks() -> mmap.mmap:
    return mmap.mmap(-1, 4096 + MOST_THREADS * STACK_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


class KernelError(RuntimeError):
    """A kernel did what a GPU would not forgive, such as a barrier that some threads never reach."""


def compile_text(text: str, *, threads: bool = False) -> Compiled:
    """The kernels of one CUDA text. Raises RuntimeError with the compiler's message.

    threads: a thread of the operating system for each CUDA thread, instead of a fiber; a fault then ends the process.
    """
    path = build(text, threads=threads)
    return Compiled(ctypes.CDLL(str(path)), kernel_types(path))


def available() -> bool:
    """Whether there is a compiler."""
    return shutil.which(COMPILER) is not None


@functools.cache
def cache_folder() -> Path:
    """Where compiled kernels stay from one run to the next; what has not been used for a week goes."""
    base = os.environ.get("XDG_CACHE_HOME")
    user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    folder = Path(base) / "tinygrad_llm" if base else Path(tempfile.gettempdir()) / f"tinygrad_llm-{user}"
    folder = folder / "cuda_on_cpu"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.*"):
        try:
            if path.is_file() and path.stat().st_mtime < time.time() - WEEK:
                path.unlink()
        except FileNotFoundError:  # another process was faster
            pass
    return folder


def build(text: str, *, threads: bool = False, sanitize: str | None = None) -> Path:
    """A shared library of the kernels, or with a sanitizer ("thread", "address") a program around them.

    Made unless it is there already. Several processes may ask at once.
    """
    threads = threads or sanitize is not None
    flags = [*FLAGS, *SANITIZERS[sanitize], *(["-DCUDA_ON_THREADS", "-pthread"] if threads else [])]
    maker = [path.read_text(encoding="utf-8") for path in (*sorted(FOLDER.glob("*.h")), Path(__file__))]
    key = hashlib.sha256("\0".join([text, *maker, *flags]).encode()).hexdigest()[:24]
    made = cache_folder() / (f"{key}.so" if sanitize is None else f"{key}.{sanitize}")
    if not made.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as own:
            _make(text, flags, sanitize is not None, Path(own), made)
    for path in (made, made.with_suffix(".ii")):
        os.utime(path)
    return made


def _make(text: str, flags: list[str], program: bool, own: Path, made: Path) -> None:
    (own / "kernel.cu").write_text(text, encoding="utf-8")
    headers = [HEADER, FOLDER / "program.h"] if program else [HEADER]
    included = [part for header in headers for part in ("-include", str(header))]
    _run(COMPILER, *flags, *included, "-E", "-x", "c++", "kernel.cu", "-o", "kernel.ii", cwd=own)
    expanded = (own / "kernel.ii").read_text(encoding="utf-8")
    found = list(_kernels(expanded))
    if not found:
        raise RuntimeError('no kernel in this text: each begins with extern "C" __global__ void NAME(')
    tail = "".join(_trampoline(*kernel) for kernel in found)
    if program:
        tail += _PROGRAM.format(entries=", ".join(f'{{"{name}", run_{name}}}' for name, _, _ in found))
    (own / "whole.ii").write_text(_SHARED.sub(_with_fresh, expanded) + tail, encoding="utf-8")
    kind = [] if program else ["-shared"]
    flags = [*flags, f"-fdebug-prefix-map={own}=.", *kind]
    _run(COMPILER, *flags, "-x", "c++-cpp-output", "whole.ii", "-o", "made", cwd=own)
    os.replace(own / "kernel.ii", made.with_suffix(".ii"))  # first: who sees what was made finds this too
    os.replace(own / "made", made)


def _run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{COMPILER} refuses the kernels:\n{done.stderr}")


def _with_fresh(declaration: re.Match[str]) -> str:
    """A __shared__ variable, and the call that makes it NaN in each new block. On one line: no line number changes."""
    if "," in re.sub(r"<[^;]*>", "", declaration["type"]):
        raise RuntimeError(f"one __shared__ variable a statement, please: {declaration[0]}")
    name = declaration["name"]
    return f"{declaration[0]} static long long {name}_block; cuda_on_cpu::fresh({name}_block, &{name}, sizeof({name}));"


def _trampoline(name: str, types: list[str], bound: str) -> str:
    values = ", ".join(f"*({t}*)arguments[{i}]" for i, t in enumerate(types))
    return _TRAMPOLINE.format(name=name, values=values, bound=bound)


def _kernels(expanded: str) -> Iterator[tuple[str, list[str], str]]:
    for m in _KERNEL.finditer(re.sub(r"^#.*$", "", expanded, flags=re.MULTILINE)):
        types = [c_type(part) for part in m["parameters"].split(",") if part.strip()]
        yield m["name"], types, m["bound"] or m["bound_too"] or str(MOST_THREADS)


def kernel_types(made: Path) -> dict[str, list[str]]:
    """Each kernel's name and the C types of its parameters, of what `build` has made."""
    expanded = made.with_suffix(".ii").read_text(encoding="utf-8")  # the text after the preprocessor
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
        values = arguments(name, types, args)
        *sides, threads = launch_sizes(name, grid, block)
        check_shared(name, shared_bytes)
        if threads > (bound := ctypes.c_int.in_dll(self._library, f"bound_{name}").value):
            raise ValueError(f"{name}: {threads} threads, its __launch_bounds__ allow {bound}")
        pointers = (ctypes.c_void_p * len(values))(*(v.ctypes.data for v in values))
        sizes = (ctypes.c_uint * 4)(*sides, threads)
        function = getattr(self._library, f"run_{name}")
        function.restype = ctypes.c_char_p
        stacks = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(_stacks())))
        with _LOCK:
            message = function(pointers, sizes, ctypes.c_longlong(shared_bytes), int(reverse), stacks)
        if message:
            raise KernelError(f"{name}: {message.decode()}")
