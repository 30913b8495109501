"""The kernels' texts. How they are written is told in `common.cuh`; how they are launched, in `backend/launch.py`."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
AFTER = "// after: "
"""How a file names, in its first line, the shared texts that it needs besides `common.cuh`."""


def kernel_files() -> list[str]:
    """The names of all kernel files, without their ending."""
    return sorted(path.stem for path in FOLDER.glob("*.cu"))


def source(name: str) -> str:
    """The whole text of one kernel file, as it is compiled: `common.cuh`, what it says it needs, and its own."""
    return "\n".join((FOLDER / part).read_text(encoding="utf-8") for part in _needed(f"{name}.cu", ["common.cuh"]))


def _needed(name: str, so_far: list[str]) -> list[str]:
    """So far, and the file after those that it names, each once."""
    with (FOLDER / name).open(encoding="utf-8") as file:
        first = file.readline()
    for part in first.removeprefix(AFTER).split() if first.startswith(AFTER) else ():
        if part not in so_far:
            _needed(part, so_far)
    so_far.append(name)
    return so_far
