"""Records a chapter's run, cell by cell: the book is made from the record, and never runs a chapter.

    python -m tinygrad_llm.course.record 09 --seeds 3      flags are the chapter's own

docs/records/09/output.txt    the command, then what each code cell printed below a line `%% HASH`, the hash of its code
docs/records/09/sources.txt   the script, and the package's files that the run had imported, with the sum of their code
docs/records/09/*.svg         the figures that the output names

A record is stale once one of its sources has another sum; comments and docstrings are no part of it, nor is a chapter's
prose. Those that were imported, and not the whole package: else every change anywhere would call every record stale,
and nobody would believe it. For the same reason files that only hand names on do not count. What the run's own child
processes imported is not seen.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
import tokenize
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.table import WIDTH
from tinygrad_llm.errors import ConfigError

PACKAGE = Path(__file__).resolve().parents[1]
HELP = """usage: python -m tinygrad_llm.course.record NN [FLAGS of the chapter]

Runs chapter NN cell by cell, and writes what it printed and drew to docs/records/NN/, of which the book is made.
An older record stays as it is where the run fails.

  python -m tinygrad_llm.course.record 09 --seeds 3 --json     as `make claims ONLY=09`
  python -m tinygrad_llm.course.record 09 --help               the chapter's flags"""
BAD = 2
"""Exit status of a command that was not understood."""
BUDGET = 200_000
"""Bytes that a chapter's record may have."""
WIDEST = 100
"""Columns that a printed line should not exceed."""
RULE = re.compile(r"-+(?:  -+)*")
"""The line between a table's heads and its rows, as wide as the table."""
MARK = re.compile(r"^# %%(.*)$")
CELL = re.compile(r"^%% ([0-9a-f]{8})$", re.MULTILINE)
FIGURE = re.compile(r"^figure: (\S+\.svg)$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """A cell of a chapter: text without its marks, or code.  folded: is its code shown only when asked for?"""

    markdown: bool
    folded: bool
    line: int
    """Its first line's number in the script."""
    text: str

    @property
    def key(self) -> str:
        """By which its output is found again: as long as the code is the same."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:8]


def cells_of(script: str) -> list[Cell]:
    """The cells of a script: each begins with `# %% [markdown]`, `# %%`, or `# %% folded`."""
    cells: list[Cell] = []
    lines = script.splitlines()
    starts = [number for number, line in enumerate(lines) if MARK.match(line)]
    for start, stop in zip(starts, [*starts[1:], len(lines)]):
        kind, own = lines[start].removeprefix("# %%").strip(), lines[start + 1 : stop]
        if kind == "[markdown]":
            own = [line.removeprefix("#").removeprefix(" ") for line in own]
        cells.append(Cell(kind == "[markdown]", kind == "folded", start + 2, "\n".join(own).strip("\n")))
    return cells


@dataclass(frozen=True)
class Record:
    """A recorded run: the command, what each cell printed by the cell's key, the verdict, each source's sum by path."""

    folder: Path
    command: str
    outputs: dict[str, list[str]]
    verdict: dict[str, Any] | None
    sources: dict[str, str]

    @classmethod
    def load(cls, folder: Path) -> Record | None:
        """None where there is none."""
        if not (folder / "output.txt").exists():
            return None
        text = (folder / "output.txt").read_text(encoding="utf-8")
        command, *cells = CELL.split(text)
        outputs: dict[str, list[str]] = {}
        for key, output in zip(cells[::2], cells[1::2]):
            outputs.setdefault(key, []).append(output.strip("\n"))
        sums = (folder / "sources.txt").read_text(encoding="utf-8").splitlines()
        sources = {path: digest for digest, path in (line.split("  ", 1) for line in sums)}
        return cls(folder, command.removeprefix("$ ").strip(), outputs, json_line(text), sources)

    def stale(self, root: Path) -> list[str]:
        """Its sources that are not what they were, below the checkout `root`."""
        changed = [path for path, digest in self.sources.items() if _sum(root / path) != digest]
        return [path for path in changed if not hands_names_on(root / path)]


def hands_names_on(path: Path) -> bool:
    """Whether a file has nothing but a docstring, imports and `__all__`: whatever is added there, no run is another."""
    if path.name != "__init__.py" or not path.exists():
        return False
    body = ast.parse(path.read_text(encoding="utf-8")).body
    rest = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return all(ast.unparse(node).startswith(("'", '"', "__all__ =")) for node in rest)


def code_of(text: str) -> str:
    """A Python text without what no run depends on: comments, blank lines, spaces at the ends of lines; docstrings, in
    whose places stands `pass`.

    What is within other strings stays. Any Python gives the same: where things stand is read from the syntax tree.
    """
    lines, kept, cuts = text.splitlines(), set[int](), list[tuple[int, int, int, int, str]]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            cuts.append((*token.start, *token.end, ""))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            ends = ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
            (first, start), (last, end) = ((row, len(lines[row - 1].encode()[:at].decode())) for row, at in ends)
            cuts.append((first, start, last, end, "pass"))
        elif isinstance(node, ast.Constant | ast.JoinedStr):
            kept |= set(range(node.lineno, node.end_lineno or 0))  # behind the last line's end it is over
    for first, start, last, end, instead in sorted(cuts, reverse=True):
        kept -= set(range(first, last))
        whole = lines[first - 1][:start] + instead + lines[last - 1][end:]
        lines[first - 1 : last] = [whole, *[""] * (last - first)]
    rows = ((line, number in kept) for number, line in enumerate(lines, 1))
    return "\n".join(line if keep else line.rstrip() for line, keep in rows if keep or line.strip())


def json_line(output: str) -> dict[str, Any] | None:
    """The last line, where it is a JSON object."""
    try:
        found = json.loads(output.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def wide_lines(output: str) -> list[str]:
    """The lines that are too wide for people: tables at WIDTH, others at WIDEST; the last line for programs aside."""
    lines = output.splitlines()[: -1 if json_line(output) else None]
    return [line for line in lines if len(line) > (WIDTH if RULE.fullmatch(line) else WIDEST)]


def record(script: Path, flags: Sequence[str], folder: Path) -> None:
    """Runs the chapter and writes its record, in place of an older one.

    Says which printed lines are too wide. An error of the chapter's own leaves the older one as it is.
    Raises ConfigError for a record over the budget.
    """
    with tempfile.TemporaryDirectory() as out:
        printed = run_cells(script, [*flags, "--out", out])
        cells = [cell for cell in cells_of(script.read_text(encoding="utf-8")) if not cell.markdown]
        text = " ".join(["$ python", f"chapters/{script.name}", *flags]) + "\n"
        for cell, output in zip(cells, printed):
            output = output.replace(f"figure: {out}{os.sep}", "figure: ").strip("\n")
            text += f"%% {cell.key}\n{output}\n" if output else ""
        files = {name: (Path(out) / name).read_bytes() for name in FIGURE.findall(text)}
        root = script.parents[1]
        sources = "".join(f"{_sum(root / path)}  {path}\n" for path in [f"chapters/{script.name}", *_imported()])
        files |= {"output.txt": text.encode(), "sources.txt": sources.encode()}
    size, largest = sum(map(len, files.values())), max(files, key=lambda name: len(files[name]))
    if size > BUDGET:
        next_step = f"The largest file is {largest}, {len(files[largest]):,} bytes: draw fewer points."
        raise ConfigError(f"the record of {script.name}", f"at most {BUDGET:,} bytes", f"{size:,}", next_step)
    for line in wide_lines(text):
        print(f"{script.name} prints a line of {len(line)} columns: {line[:WIDTH]} …", file=sys.stderr)
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for name, content in files.items():
        (new / name).write_bytes(content)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def run_cells(script: Path, argv: Sequence[str]) -> list[str]:
    """What each code cell printed: one after the other in one `__main__`, as `python script` runs them."""
    text = script.read_text(encoding="utf-8")
    tree = ast.parse(text, str(script))
    cells = [cell for cell in cells_of(text) if not cell.markdown]
    ends = [cell.line for cell in cells[1:]] + [sys.maxsize]
    printed = []
    with _as_main(script, argv) as names:
        for cell, end in zip(cells, ends):
            body = [statement for statement in tree.body if cell.line <= statement.lineno < end]
            code = compile(ast.Module(body, []), str(script), "exec", _future_flags(tree), dont_inherit=True)
            with contextlib.redirect_stdout(_Tee(sys.stdout)) as output:
                exec(code, names)
            printed.append(output.getvalue())
    return printed


@contextlib.contextmanager
def _as_main(script: Path, argv: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The names of a new module `__main__`, with the arguments and the path that the script would have."""
    before = sys.modules["__main__"], sys.argv, sys.path
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__file__, sys.argv, sys.path = str(script), [str(script), *argv], [str(script.parent), *sys.path[1:]]
    try:
        yield main.__dict__
    finally:
        sys.modules["__main__"], sys.argv, sys.path = before


class _Tee(io.StringIO):
    """Keeps what is printed, and passes it on."""

    def __init__(self, terminal: Any) -> None:
        super().__init__()
        self.terminal = terminal

    def write(self, text: str) -> int:
        self.terminal.write(text)
        return super().write(text)

    def flush(self) -> None:
        self.terminal.flush()


def _future_flags(tree: ast.Module) -> int:
    """`from __future__ import …` holds for the whole script."""
    imports = [s for s in tree.body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
    return sum({getattr(__future__, a.name).compiler_flag for s in imports for a in s.names})


def _imported() -> list[str]:
    """The package's files that this process has imported, this one aside."""
    named = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    files = {Path(name) for name in named if name} - {Path(__file__)}
    return sorted(f"{PACKAGE.name}/{f.relative_to(PACKAGE).as_posix()}" for f in files if f.is_relative_to(PACKAGE))


def _sum(path: Path) -> str:
    """SHA-256 of a file's code, see `code_of`; "" where there is none."""
    return _sum_of(path.read_text(encoding="utf-8")) if path.exists() else ""


@cache
def _sum_of(text: str) -> str:
    """Kept: nearly all of the package is a source of every record."""
    return hashlib.sha256(code_of(text).encode()).hexdigest()


def main(argv: Sequence[str]) -> int:
    """Records one chapter; an exit status.  Raises what the chapter raises."""
    if not argv or argv[0] in ("-h", "--help"):
        print(HELP, file=sys.stdout if argv else sys.stderr)
        return 0 if argv else BAD
    number, *flags = argv
    try:
        if number.startswith("-"):
            raise ConfigError("chapter", "its number, before all flags", number)
        course = Course.find()
        course.check_checkout("record")
        script = course.chapter(number)
    except ConfigError as error:
        print(f"{error}\n\n{HELP}", file=sys.stderr)
        return BAD
    record(script, flags, course.root / "docs" / "records" / script.name[:2])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
