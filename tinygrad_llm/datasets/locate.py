"""The folders of the generated corpora: data/ in a checkout, else the user's cache, written on first use."""

from __future__ import annotations

from pathlib import Path

from tinygrad_llm.datasets.download import cache_dir
from tinygrad_llm.datasets.kingdom import write_kingdom
from tinygrad_llm.datasets.lingo import write_lingo
from tinygrad_llm.datasets.tales import write_tales
from tinygrad_llm.errors import ArgumentError

CHECKOUT = Path(__file__).resolve().parents[2] / "data"
WRITERS = {
    "kingdom": ("train.txt", write_kingdom),
    "lingo": ("train.tsv", write_lingo),
    "tales": ("train.txt", write_tales),
}
"""A file that each corpus has, and what makes all of them in a folder."""


def corpus(name: str) -> Path:
    """The folder of a generated corpus.  Raises ArgumentError for a name that there is not."""
    if name not in WRITERS:
        raise ArgumentError("name", " or ".join(WRITERS), repr(name))
    known, write = WRITERS[name]
    folder = CHECKOUT / name
    if not (folder / known).exists():
        folder = cache_dir() / name
    if not (folder / known).exists():
        write(folder)
    return folder


def tales_files() -> tuple[Path, Path]:
    """The tales' training text and their held-out text."""
    folder = corpus("tales")
    return folder / "train.txt", folder / "val.txt"


def lingo_files() -> tuple[Path, Path, Path]:
    """The pairs of English and lingo: for training, for choosing, and for the test."""
    folder = corpus("lingo")
    return folder / "train.tsv", folder / "val.tsv", folder / "test.tsv"
