"""The kernels' texts. How they are written is told in `common.cuh`; how they are launched, in `backend/launch.py`."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
AFTER = "// after: "
"""How a kernel file names, in its first line, the shared texts it needs besides `common.cuh`."""


def kernel_files() -> list[str]:
    """The names of all kernel files, without their ending."""
    return sorted(path.stem for path in FOLDER.glob("*.cu"))


def source(name: str) -> str:
    """The whole text of one kernel file, as it is compiled: `common.cuh`, what it says it needs, and its own."""
    own = (FOLDER / f"{name}.cu").read_text(encoding="utf-8")
    first = own.partition("\n")[0]
    needed = first.removeprefix(AFTER).split() if first.startswith(AFTER) else []
    shared = [(FOLDER / part).read_text(encoding="utf-8") for part in ("common.cuh", *needed)]
    return "\n".join([*shared, own])
