"""How to get the packages that an extra of this one names (`setup.cfg`, [options.extras_require]).

This package is on no index, so `pip install "tinygrad_llm[learn]"` would ask there for a stranger's. From a checkout
pip takes the extra by the checkout's folder; an installed package knows what its extras name.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
"""The checkout, or what the installed package lies in."""


def install(extra: str) -> str:
    """The command that installs an extra: in a checkout's folder `pip install -e ".[learn]"`.

    The quotes are those that every shell takes for quotes, those of Windows too.
    """
    if (HOME / "setup.cfg").is_file():
        return f'pip install -e "{_as_typed(HOME)}[{extra}]"'
    return " ".join(["pip install", *(f'"{package}"' for package in packages_of(extra))])


def packages_of(extra: str) -> list[str]:
    """What the extra of the installed package names: `pytest>=8`."""
    lines = importlib.metadata.requires(__package__) or []
    return [line.partition(";")[0].strip() for line in lines if re.search(rf"""extra == ['"]{extra}['"]""", line)]


def _as_typed(folder: Path) -> str:
    """A dot for the folder that we are in."""
    try:
        return "." if os.path.samefile(folder, ".") else str(folder)
    except OSError:  # somebody has removed it under us
        return str(folder)
