"""A chapter's frame: its flags, its progress, its figures, and its claim, which is judged at the end.

    run = Chapter("09", "A head that … ")
    for seed in run.seeds: ...
    run.show(figure, "heat-map")
    run.check("share of the questions that the head answers", shares, at_least=0.9, baseline={"nearest name": 0.5})
    run.report("seconds", seconds)
    run.finish()

A chapter runs the same as a script, in a notebook's kernel and under pytest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence, Sized
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
from tqdm import tqdm

from tinygrad_llm.backend import check_device
from tinygrad_llm.backend.cuda import describe_gpu
from tinygrad_llm.course.claim import Claim, Part, ascii_fallback, encodable, to_json
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.output import end_quietly, prepare_streams
from tinygrad_llm.course.table import WIDTH, table
from tinygrad_llm.errors import ConfigError, DeviceError
from tinygrad_llm.ranges import SEEDS, check_range
from tinygrad_llm.visualize.figure import Figure

__all__ = ["Chapter", "ClaimFailed", "table"]

Item = TypeVar("Item")
FLAGS = "TINYGRAD_LLM_CHAPTER_FLAGS"
"""Environment variable: the flags, where a kernel runs the chapter and there is no command line."""
PROGRESS_INTERVAL_S = 10.0
"""Seconds between two lines of progress where there is no terminal."""


class ClaimFailed(AssertionError):
    """A part of the claim does not hold for what was measured."""


class Chapter:
    """The run of one chapter.

    fast     seconds instead of a minute: the machinery and every equality, and the claim where it holds at that size.
    seeds    one, or as many as --seeds says.
    device   where it computes, "cpu" or "cuda": models and tensors go there by `.to(run.device)`.
    out      folder for figures.
    root     the checkout, or what a wheel has of it.
    json     whether a last line for programs is printed.
    """

    def __init__(self, number: str, claim: str, argv: Sequence[str] | None = None) -> None:
        flags = _flags(number, claim, _arguments() if argv is None else argv)
        self.number, self.claim = number, claim
        self.fast: bool = flags.fast
        self.json: bool = flags.json
        self.result = Claim()
        self.seeds: list[int] = list(range(flags.seeds))
        self.device: str = check_device(flags.device)
        self.out = Path(flags.out or Path("out") / "chapters" / number)
        self.root = Course.find().material
        self.begun = time.perf_counter()
        prepare_streams()  # a sign that the terminal lacks must not end the run
        end_quietly()
        versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
        versions += f", {describe_gpu()}" if self.device == "cuda" else ""
        print(f"chapter {number}{' --fast' if self.fast else ''}, seeds {self.seeds}   ({versions})")
        print(f"{_filled(f'claim: {claim}')}\n", flush=True)

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
            if time.perf_counter() - last > PROGRESS_INTERVAL_S:
                last = time.perf_counter()
                print(f"  {what}: {number}{f' of {count}' if count else ''}", file=sys.stderr, flush=True)

    def say(self, *words: Any) -> None:
        """Prints what is longer than a line, folded at spaces; line ends that are there stay."""
        print("\n".join(map(_filled, " ".join(map(str, words)).split("\n"))), flush=True)

    def show(self, figure: Figure, name: str) -> None:
        """Saves a figure as SVG and names the file; a notebook shows the figure itself."""
        self.out.mkdir(parents=True, exist_ok=True)
        path = figure.save(self.out / f"{name}.svg")
        if "ipykernel" in sys.modules:
            from IPython.display import display

            display(figure)
        else:
            print(f"figure: {path}", flush=True)

    def check(
        self, name: str, value: Any, *, at_least: Any = None, at_most: Any = None, equals: Any = None,
        above: Any = None, below: Any = None, baseline: Any = None, full_only: bool = False,
    ) -> None:  # fmt: skip
        """Adds a part to the claim: `value` keeps the bounds that are given.

        value      a number, one number a seed, or numbers by name: then each of them keeps the bounds.
        at_least … a number, or one for each number of `value`, by its names. NaN keeps no bound.
        baseline   what a weaker method reaches; shown in the table, not judged.
        full_only  with --fast the part is not judged: the run is too small for it.

        Raises ArgumentError for a part without a number, without a bound, or with the name of another one.
        """
        given = {"at_least": at_least, "at_most": at_most, "equals": equals, "above": above, "below": below}
        bounds = {kind: bound for kind, bound in given.items() if bound is not None}
        self.result.add(Part(name, value, bounds, baseline, tested=not (full_only and self.fast)))

    def report(self, name: str, value: Any) -> None:
        """Adds a figure that is reported and not judged, such as a time."""
        self.result.report(name, value)

    def finish(self) -> None:
        """Prints the claim's parts and the verdict, with --json also as a last line for programs.

        Raises ClaimFailed where a part does not hold, ArgumentError where there are no parts.
        """
        holds, seconds = self.result.holds, round(time.perf_counter() - self.begun, 1)
        print(f"\n{self.result.table(_encoding())}\n")
        words = f"{self.result.sentence()} (seeds {', '.join(map(str, self.seeds))}; {seconds} s)"
        print(_filled(ascii_fallback(words, _encoding())), flush=True)
        if self.json:
            line = {"chapter": self.number, "claim": self.claim, **self.result.verdict()}
            line |= {"seeds": len(self.seeds), "fast": self.fast, "seconds": seconds}
            text = json.dumps(line, ensure_ascii=False, allow_nan=False)
            print(text if encodable(text, _encoding()) else json.dumps(line, allow_nan=False), flush=True)
        if holds is False:
            failed = {name: self.result.measured[name] for name in self.result.failed}
            raise ClaimFailed(f"chapter {self.number}: {self.claim} These parts failed: {to_json(failed)}")


def _filled(words: str) -> str:
    """In lines that a terminal takes; they are cut at spaces alone."""
    return textwrap.fill(words, WIDTH, break_on_hyphens=False, break_long_words=False)


def _encoding() -> str:
    """What the characters of this run's output are written in."""
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def _arguments() -> list[str]:
    """The command line; a kernel's own arguments are not ours."""
    return os.environ.get(FLAGS, "").split() if "ipykernel" in sys.modules else sys.argv[1:]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {ConfigError(self.prog, 'its flags', message, 'See --help.')}\n")


def _flags(number: str, claim: str, argv: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(description=f"Chapter {number}. {claim}", allow_abbrev=False)
    parser.add_argument("--fast", action="store_true", help="seconds instead of a minute: for tests")
    parser.add_argument("--seeds", default="1", help="how many seeds the claim is measured over (default 1)")
    parser.add_argument("--device", choices=["cpu", "cuda", "auto"], default="cpu", help="where to compute")
    parser.add_argument("--json", action="store_true", help="the verdict once more, as a last line of JSON")
    parser.add_argument("--out", help=f"folder for figures; out/chapters/{number} otherwise")
    flags = parser.parse_args(list(argv))
    try:
        flags.seeds = _seeds(flags.seeds)
        check_device(flags.device)
    except (ConfigError, DeviceError) as error:
        parser.exit(2, f"error: {error}\n")
    return flags


def _seeds(text: str) -> int:
    """How many.  Raises ConfigError where it is no number, or out of its range."""
    try:
        value = SEEDS.read(text)
    except ValueError:
        value = text
    check_range("seeds", value, SEEDS, "--seeds")
    return value
