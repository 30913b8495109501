"""Where the CUDA libraries would be."""

from __future__ import annotations

from dataclasses import dataclass


class DynamicLibNotFoundError(RuntimeError):
    """As the real one."""


@dataclass
class LoadedDL:
    """As the real one."""

    abs_path: str


MISSING: set[str] = set()


def load_nvidia_dynamic_lib(name: str) -> LoadedDL:
    if name in MISSING:
        raise DynamicLibNotFoundError(f'Failure finding "lib{name}.so"')
    return LoadedDL(f"lib{name}.so")
