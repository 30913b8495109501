"""Where the generated corpora are: beside the package in a checkout, else in the user's cache, made on first use."""

from __future__ import annotations

from pathlib import Path

from tinygrad_llm.datasets.download import cache_dir
from tinygrad_llm.datasets.tales import write_tales

CHECKOUT = Path(__file__).resolve().parents[2] / "data"


def tales_files() -> tuple[Path, Path]:
    """The tales' training text and their held-out text."""
    folder = CHECKOUT / "tales"
    if not (folder / "train.txt").exists():
        folder = cache_dir() / "tales"
    if not (folder / "train.txt").exists():
        write_tales(folder)
    return folder / "train.txt", folder / "val.txt"
