"""A chapter's frame: its flags, its progress, its figures, and its last line, which says whether the claim held.

    run = Chapter("09", "A head that … ")
    for seed in run.seeds: ...
    run.show(figure, "heat-map")
    run.finish({"accuracy": 0.97}, holds=0.97 >= 0.9)

A chapter runs the same as a script, in a notebook's kernel and under pytest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Sequence, Sized
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
from tqdm import tqdm

from tinygrad_llm.backend import check_device
from tinygrad_llm.backend.cuda import describe_gpu
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.errors import ConfigError, DeviceError
from tinygrad_llm.visualize.figure import Figure

Item = TypeVar("Item")
FLAGS = "TINYGRAD_LLM_CHAPTER_FLAGS"
"""Environment variable: the flags, where a kernel runs the chapter and there is no command line."""
NEWS_S = 10.0
"""Seconds between two lines of progress where there is no terminal."""


class ClaimFailed(AssertionError):
    """What a chapter set out to show was not what it measured."""


class Chapter:
    """The run of one chapter.

    fast     seconds instead of a minute: the machinery and every equality, and the claim where it holds at that size.
    seeds    one, or as many as --seeds says.
    device   where it computes, "cpu" or "cuda": models and tensors go there by `.to(run.device)`.
    out      folder for figures.
    root     the checkout.
    """

    def __init__(self, number: str, claim: str, argv: Sequence[str] | None = None) -> None:
        flags = _flags(number, claim, _arguments() if argv is None else argv)
        self.number, self.claim = number, claim
        self.fast: bool = flags.fast
        self.seeds: list[int] = list(range(flags.seeds))
        self.device: str = check_device(flags.device)
        self.out = Path(flags.out or Path("out") / "chapters" / number)
        self.root = Course.find().root
        self.begun = time.perf_counter()
        versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
        versions += f", {describe_gpu()}" if self.device == "cuda" else ""
        print(f"chapter {number}{' --fast' if self.fast else ''}, seeds {self.seeds}   ({versions})")
        print(f"claim: {claim}\n", flush=True)

    def pick(self, full: Item, fast: Item) -> Item:
        """The first in a full run, the second with --fast."""
        return fast if self.fast else full

    def progress(self, items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
        """The items, with a bar on a terminal and a line now and then in a log."""
        if sys.stderr.isatty():
            yield from tqdm(items, desc=what, total=total, leave=False)
            return
        count = total if total is not None else len(items) if isinstance(items, Sized) else None
        last = time.perf_counter()
        for number, item in enumerate(items, 1):
            yield item
            if time.perf_counter() - last > NEWS_S:
                last = time.perf_counter()
                print(f"  {what}: {number}{f' of {count}' if count else ''}", file=sys.stderr, flush=True)

    def show(self, figure: Figure, name: str) -> None:
        """Saves a figure as SVG and names the file; a notebook shows the figure itself."""
        self.out.mkdir(parents=True, exist_ok=True)
        path = figure.save(self.out / f"{name}.svg")
        if "ipykernel" in sys.modules:
            from IPython.display import display

            display(figure)
        else:
            print(f"figure: {path}", flush=True)

    def finish(self, measured: dict[str, Any], holds: bool) -> None:
        """Prints the last line.  Raises ClaimFailed where the claim did not hold."""
        line = {
            "chapter": self.number, "claim": self.claim, "measured": _plain(measured), "holds": bool(holds),
            "seeds": len(self.seeds), "fast": self.fast, "seconds": round(time.perf_counter() - self.begun, 1),
        }  # fmt: skip
        print(json.dumps(line, ensure_ascii=False), flush=True)
        if not holds:
            raise ClaimFailed(f"chapter {self.number}: {self.claim} Measured: {line['measured']}")


def table(rows: Sequence[Sequence[Any]], heads: Sequence[str]) -> str:
    """Rows under heads; numbers to the right, words to the left."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(heads), *cells]) for i in range(len(heads))]
    right = [all(isinstance(row[i], int | float | np.number) for row in rows) for i in range(len(heads))]

    def line(values: Sequence[str]) -> str:
        return "  ".join(v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right)).rstrip()

    return "\n".join([line(heads), "  ".join("-" * w for w in widths), *map(line, cells)])


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def _arguments() -> list[str]:
    """The command line; a kernel's own arguments are not ours."""
    return os.environ.get(FLAGS, "").split() if "ipykernel" in sys.modules else sys.argv[1:]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {ConfigError(self.prog, 'its flags', message, 'See --help.')}\n")


def _flags(number: str, claim: str, argv: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(description=f"Chapter {number}. {claim}", allow_abbrev=False)
    parser.add_argument("--fast", action="store_true", help="seconds instead of a minute: for tests")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds the claim is measured over")
    parser.add_argument("--device", choices=["cpu", "cuda", "auto"], default="cpu", help="where to compute")
    parser.add_argument("--out", help=f"folder for figures; out/chapters/{number} otherwise")
    flags = parser.parse_args(list(argv))
    if flags.seeds < 1:
        parser.error("--seeds is at least 1")
    try:
        check_device(flags.device)
    except DeviceError as error:
        parser.exit(2, f"error: {error}\n")
    return flags


def _plain(value: Any) -> Any:
    """Fit for JSON, floats to six digits."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return float(f"{value:.6g}") if isinstance(value, float) else value
