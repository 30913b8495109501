"""What each CUDA kernel takes from the GPU: registers, spills, shared memory. No GPU is needed, only NVRTC.

    python -m benchmarks.kernels [--architectures 75 80 90 90a 100 120] [--files norm ...]

Registers decide how many threads a multiprocessor holds: 65536 of them, so 64 a thread leave room for 1024 threads.
A spill is a variable that found no register and lives in slow memory. Prints a table, and one JSON line last. Needs
the wheel nvidia-cuda-nvrtc, or a CUDA toolkit.
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import functools
import importlib.util
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tinygrad_llm.backend.kernels import kernel_files, source

ARCHITECTURES = ("75", "80", "90", "90a", "100", "120")
"""Turing, Ampere, Hopper, Hopper with what it alone has, and both kinds of Blackwell."""
OPTIONS = ("-std=c++17", "--ptxas-options=-v")
"""Those of `backend/launch.py`, and the report of what each kernel takes."""

_REPORT = re.compile(
    r"Compiling entry function '(?P<kernel>\w+)'.*?"
    r"(?P<stack>\d+) bytes stack frame, (?P<spilled>\d+) bytes spill stores.*?"
    r"Used (?P<registers>\d+) registers(?:[^\n]*?, (?P<shared>\d+) bytes smem)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Usage:
    """What one kernel takes: registers and bytes of stack a thread, bytes of static shared memory a block."""

    kernel: str
    architecture: str
    registers: int
    stack: int
    spilled: int
    shared: int


class NVRTC:
    """NVIDIA's run-time compiler, through ctypes. Raises OSError where it is not found."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(_find_library())
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._call("nvrtcVersion", ctypes.byref(major), ctypes.byref(minor))
        self.version = (major.value, minor.value)
        count = ctypes.c_int()
        self._call("nvrtcGetNumSupportedArchs", ctypes.byref(count))
        supported = (ctypes.c_int * count.value)()
        self._call("nvrtcGetSupportedArchs", supported)
        self.architectures = tuple(supported)

    def _call(self, name: str, *args: object) -> None:
        code = getattr(self._library, name)(*args)
        if code:
            explain = self._library.nvrtcGetErrorString
            explain.restype = ctypes.c_char_p
            raise RuntimeError(f"{name}: {explain(code).decode()}")

    def compile(self, text: str, name: str, architecture: str) -> str:
        """Compiles to machine code and gives the compiler's report. RuntimeError with its messages."""
        with self._compiled(text, name, f"sm_{architecture}") as program:
            return self._text(program, "ProgramLog")

    def ptx(self, text: str, name: str, architecture: str) -> str:
        """The instructions that it is compiled to, before registers are given out. RuntimeError as above."""
        with self._compiled(text, name, f"compute_{architecture}") as program:
            return self._text(program, "PTX")

    @contextmanager
    def _compiled(self, text: str, name: str, target: str) -> Iterator[ctypes.c_void_p]:
        program = ctypes.c_void_p()
        self._call("nvrtcCreateProgram", ctypes.byref(program), text.encode(), name.encode(), 0, None, None)
        try:
            options = [option.encode() for option in (f"--gpu-architecture={target}", *OPTIONS)]
            code = self._library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
            if code:
                raise RuntimeError(f"{name} for {target}:\n{self._text(program, 'ProgramLog')}")
            yield program
        finally:
            self._call("nvrtcDestroyProgram", ctypes.byref(program))

    def _text(self, program: ctypes.c_void_p, what: str) -> str:
        size = ctypes.c_size_t()
        self._call(f"nvrtcGet{what}Size", program, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value)
        self._call(f"nvrtcGet{what}", program, text)
        return text.value.decode(errors="replace")


def has_kernels(file: str, architecture: str) -> bool:
    """Whether a file is compiled for a GPU: tensor cores take bfloat16 from sm_80 on; Hopper has files of its own."""
    if "hopper" in file or architecture.endswith("a"):
        return "hopper" in file and architecture.endswith("a")
    return int(architecture) >= 80 or not (file.startswith("attention") and file.endswith("bfloat16"))


@functools.cache
def nvrtc() -> NVRTC:
    """The compiler, found once."""
    return NVRTC()


def _find_library() -> str:
    """Where the wheel has put it, or a toolkit."""
    spec = importlib.util.find_spec("nvidia")
    folders = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    folders += [Path(os.environ[name]) for name in ("CUDA_PATH", "CUDA_HOME") if name in os.environ]
    for folder in folders:
        # libnvrtc-builtins and the .alt variant are other things
        found = sorted(p for p in folder.rglob("libnvrtc.so.*") if re.fullmatch(r"libnvrtc\.so\.\d+", p.name))
        if found:
            return str(found[-1])
    return ctypes.util.find_library("nvrtc") or "libnvrtc.so"


def usage(report: str, architecture: str) -> list[Usage]:
    """The numbers in a compiler's report, kernel by kernel."""
    return [
        Usage(m["kernel"], architecture, *(int(m[k] or 0) for k in ("registers", "stack", "spilled", "shared")))
        for m in _REPORT.finditer(report)
    ]


def main() -> None:
    """Compiles and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--architectures", nargs="+", default=ARCHITECTURES)
    parser.add_argument("--files", nargs="+", default=kernel_files())
    args = parser.parse_args()
    rows: list[Usage] = []
    start = time.perf_counter()
    print(f"{'kernel':44}{'sm':>5}{'registers':>11}{'stack':>8}{'spilled':>9}{'shared':>8}")
    for file in args.files:
        for architecture in filter(partial(has_kernels, file), args.architectures):
            found = usage(nvrtc().compile(source(file), f"{file}.cu", architecture), architecture)
            for row in sorted(found, key=lambda row: row.kernel):
                print(
                    f"{row.kernel:44}{row.architecture:>5}{row.registers:>11}{row.stack:>8}{row.spilled:>9}{row.shared:>8}"
                )
            rows += found
    result = {
        "nvrtc": ".".join(map(str, nvrtc().version)),
        "seconds": round(time.perf_counter() - start, 1),
        "spilling": sorted({row.kernel for row in rows if row.spilled}),
        "most_registers": max((row.registers for row in rows), default=0),
        "kernels": [asdict(row) for row in rows],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
