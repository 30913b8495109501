"""Where the generated corpora are: beside the package in a checkout, within it in a wheel, else in the user's cache.

The repository, and with it a wheel, keeps their files up to a megabyte. What is missing is generated on first use, and
held to its SHA-256.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinygrad_llm.datasets.download import cache_dir
from tinygrad_llm.datasets.kingdom import write_kingdom
from tinygrad_llm.datasets.lingo import write_lingo
from tinygrad_llm.datasets.tales import write_tales
from tinygrad_llm.errors import ArgumentError, DataError, StorageError, reason

CHECKOUT = Path(__file__).resolve().parents[2] / "data"
IN_A_WHEEL = Path(__file__).resolve().parents[1] / "_material" / "data"


@dataclass(frozen=True)
class Generated:
    """What writes all files of a corpus into a folder, and their SHA-256 by name."""

    write: Callable[[Path], list[Path]]
    sums: dict[str, str]


CORPORA = {
    "kingdom": Generated(
        write_kingdom,
        {
            "train.txt": "0d3deeeb9fd595c651b5ce855c12283fa50a6381759056cca98d44de8111a5e0",
            "test.txt": "729f03175c310b8223346be171448081009451fb71cc237164d5c1e72dfdea65",
            "analogies.json": "5baa75152e1e09758f6b01e1344d35b1b98bb144ab6a7e7d08e34c1358e55357",
        },
    ),
    "lingo": Generated(
        write_lingo,
        {
            "train.tsv": "e4aeabbcb9a2491a1cc377ca47485900d2375c7faa7770dfbd42a36a1346159a",
            "val.tsv": "b0dc85e6f22463c6ff91b66d309658b163236626fdf145494dad96a44932e4de",
            "test.tsv": "29e2cb94542e15506c5754dbc0c17230057eccd91a6245ed50f2713281ad4d44",
        },
    ),
    "tales": Generated(
        write_tales,
        {
            "train.txt": "586a93dc31ef34886e35b0720ea79691f8433837a5c2fef6b013cacaac1b85bf",
            "val.txt": "ff2974b0a4cb547772cf093033567d912d788eb835ab8bda8bb7b44c2ab94285",
            "test.txt": "bd6e51de992ff0f947a3a2e7c7cfe3f2f9417f0566037faa8d7f07a448c054b9",
            "stories.jsonl": "8b852a163fb8283918be6627386c4e93db301ddd728ada2c48af18d274c3ab63",
        },
    ),
}


def corpus(name: str, files: Sequence[str] | None = None) -> Path:
    """The folder of a generated corpus, all its files in it, or those that are asked for.

    Raises ArgumentError for a name that there is not, StorageError where the files cannot be written, DataError where
    they are not what they should be.
    """
    if name not in CORPORA:
        raise ArgumentError("name", " or ".join(CORPORA), repr(name))
    folder = CHECKOUT / name
    wanted = CORPORA[name].sums if files is None else files
    in_checkout = (CHECKOUT / "SOURCES.md").exists()
    if not in_checkout or (_missing(wanted, folder) and not os.access(CHECKOUT, os.W_OK)):
        folder = cache_dir() / name if _missing(wanted, IN_A_WHEEL / name) else IN_A_WHEEL / name
    if missing := _missing(wanted, folder):
        print(f"generating {', '.join(missing)} in {folder}: a moment, once", file=sys.stderr, flush=True)
        try:
            _generate(name, folder, missing)
        except OSError as error:
            next_step = "Free space, or set XDG_CACHE_HOME to another folder."
            raise StorageError(str(folder), "a place that can be written", reason(error), next_step) from error
    return folder


def _missing(files: Iterable[str], folder: Path) -> list[str]:
    return [file for file in files if not (folder / file).exists()]


def _generate(name: str, folder: Path, files: list[str]) -> None:
    """Writes elsewhere first: a file is there whole or not at all, and two processes at once put the same there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as fresh:
        CORPORA[name].write(Path(fresh))
        for file in files:
            _check(Path(fresh) / file, CORPORA[name].sums[file])
            os.replace(Path(fresh) / file, folder / file)


def _check(path: Path, expected: str) -> None:
    got = hashlib.sha256(path.read_bytes()).hexdigest()
    if got != expected:
        next_step = "The generator, or NumPy's random numbers, have changed: results will not be those of the chapters."
        raise DataError(path.name, f"SHA-256 {expected}", got, next_step)


def tales_files() -> tuple[Path, Path]:
    """The tales' training text and their held-out text."""
    files = ("train.txt", "val.txt")
    folder = corpus("tales", files)
    return folder / files[0], folder / files[1]


def lingo_files() -> tuple[Path, Path, Path]:
    """The pairs of English and lingo: for training, for choosing, and for the test."""
    folder = corpus("lingo")
    return folder / "train.tsv", folder / "val.tsv", folder / "test.tsv"
