"""RawModule: kernels compiled by g++ and run on the CPU, thread by thread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from cuda_on_cpu.build import compile_text

from cupy._array import ndarray
from cupy._state import STATE

FREE_SHARED_BYTES, MOST_SHARED_BYTES = 48 * 1024, 227 * 1024  # sm_90


class RawModule:
    """One text with its kernels, or a file that `nvrtc` has made of one."""

    def __init__(self, code=None, *, path=None, options=(), backend="nvrtc", name_expressions=None) -> None:
        assert (code is None) != (path is None), "either a text or a file"
        self.compiled = compile_text(code if path is None else Path(path).read_text(encoding="utf-8"))

    def get_function(self, name):
        assert name in self.compiled.kernels, f"no kernel {name}: there are {sorted(self.compiled.kernels)}"
        return Function(self.compiled, name)


class Function:
    """A kernel that can be launched."""

    def __init__(self, compiled, name: str) -> None:
        self.compiled, self.name, self.max_dynamic_shared_size_bytes = compiled, name, FREE_SHARED_BYTES

    def __call__(self, grid, block, args, shared_mem=0, stream=None) -> None:
        assert shared_mem <= min(self.max_dynamic_shared_size_bytes, MOST_SHARED_BYTES), "too much shared memory"
        assert isinstance(grid, tuple) and isinstance(block, tuple) and all(n > 0 for n in (*grid, *block)), (
            grid,
            block,
        )
        kinds = self.compiled.kernels[self.name]
        assert len(kinds) == len(args), f"{self.name} takes {len(kinds)} arguments, got {len(args)}"
        inner = [self._argument(kind, a) for kind, a in zip(kinds, args)]
        STATE.launch(self.name, lambda: self.compiled.launch(self.name, grid, block[0], inner, shared_bytes=shared_mem))

    def _argument(self, kind: str, x):
        if isinstance(x, ndarray):
            wanted = POINTED_AT[kind.replace("const", "").replace(" ", "").rstrip("*")]
            assert x.dtype.name == wanted, f"{self.name}: {kind} was given {x.dtype}"
            return int(x.data.ptr) if x.size else None
        if isinstance(x, np.uint64) and "*" in kind:
            assert x == 0, "only a null pointer is passed as a number"
            return None
        assert isinstance(x, np.generic), f"{self.name}: {kind} was given {type(x)}, whose size CuPy would choose"
        return x


POINTED_AT = {
    "float": "float32", "double": "float64", "bfloat16": "bfloat16", "longlong": "int64", "int": "int32",
    "float32": "float32", "float32_t": "float32", "bfloat16_t": "bfloat16",
    "unsignedlonglong": "uint64", "unsignedint": "uint32", "unsigned": "uint32",
}  # fmt: skip


class nvrtc:
    """`cupy.cuda.nvrtc`: the compiler itself. What it makes of a text here is that text."""

    @staticmethod
    def getVersion() -> tuple[int, int]:
        return 0, 0  # so that nothing made here is taken for a GPU's

    @staticmethod
    def createProgram(source: str, name: str, headers: list, names: list) -> dict:
        return {"source": source, "compiled": False}

    @staticmethod
    def compileProgram(program: dict, options: tuple) -> None:
        assert [option for option in options if option.startswith("-arch=sm_")], f"for which GPU? {options}"
        program["compiled"] = True

    @staticmethod
    def getCUBIN(program: dict) -> bytes:
        assert program["compiled"], "not compiled yet"
        return program["source"].encode()

    @staticmethod
    def destroyProgram(program: dict) -> None:
        program.clear()
