"""A chapter's page, from its script and the record of its last full run, and the notebook that the page offers."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

from tinygrad_llm.course.record import FIGURE, Cell, Record, cells_of, json_line

COMPUTES = {"run.seeds", "run.progress", "run.check", "run.say", "print", "table", "np.testing"}
"""What a cell that only draws does not use."""
SHORT = 3
"""Lines that are not worth a fold."""
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]+)\)")


STYLE = re.compile(r"<style>.*?</style>\n?", re.DOTALL)
"""A figure's own colors for the dark: on a page those of the book's style sheet hold, which follow its switch too."""


def page(script: str, record: Record | None, stale: list[str], name: str, link: Callable[[str], str]) -> str:
    """MyST Markdown: prose, code, and below it what it printed and drew when it was recorded.

    link  where the book has what the chapter links to; "" for what has no page.
    """
    outputs = {key: list(texts) for key, texts in record.outputs.items()} if record else {}
    title, *cells = cells_of(script)
    head, _, prose = linked(title.text, link).partition("\n")
    parts = [head, _run_line(record, stale, name), prose.strip("\n")]
    for cell in cells:
        if cell.markdown:
            parts.append(linked(cell.text, link))
        else:
            parts.append(_code(cell))
            if record and outputs.get(cell.key):
                parts += _shown(outputs[cell.key].pop(0), record.folder)
    return "\n\n".join(part for part in parts if part) + "\n"


def linked(text: str, link: Callable[[str], str]) -> str:
    """The text with its links led to pages of the book; words alone where there is none."""

    def replaced(match: re.Match[str]) -> str:
        page = link(match[2])
        return f"[{match[1]}]({page})" if page else match[1]

    return LINK.sub(replaced, text)


def notebook(script: str) -> str:
    """The chapter as a Jupyter notebook, without outputs."""
    cells = []
    for number, cell in enumerate(cells_of(script)):
        source = cell.text.splitlines(keepends=True)
        metadata = {"jupyter": {"source_hidden": True}} if cell.folded else {}
        kind = (
            {"cell_type": "markdown"}
            if cell.markdown
            else {"cell_type": "code", "outputs": [], "execution_count": None}
        )
        cells.append({"id": f"cell-{number}", "metadata": metadata, "source": source, **kind})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _run_line(record: Record | None, stale: list[str], name: str) -> str:
    """One line: what the outputs are of, whether that is what stands here, and the notebook."""
    if record is None:
        says = "This chapter has no recorded run: the page shows no outputs"
    else:
        says = f"Outputs are those of {'an older run, ' if stale else ''}`{record.command}`"
        if record.verdict and "seconds" in record.verdict:
            says += f", which took {record.verdict['seconds']:g} seconds"
    if stale:
        more = f" and {len(stale) - 1} more files have" if len(stale) > 1 else " has"
        says += f"; `{stale[0]}`{more} changed since"
    files = f"as a {{download}}`notebook <{name}.ipynb>`, as a {{download}}`script <{name}.py>`"
    files += f"; {{download}}`what it printed <{name}.txt>`" if record else ""
    return f"*{says}. The chapter {files}.*"


def _code(cell: Cell) -> str:
    block = _fenced(cell.text, "{code-block} python")
    what = purpose(cell)
    return _folded(what, block) if what else block


def purpose(cell: Cell) -> str:
    """What code does that is shown only when asked for, in words for its fold; "" for code that is there to be read.

    Folded are the cell that sets up, cells that do nothing but draw, and the one that judges the claim.
    """
    body = ast.parse(cell.text).body
    used = {ast.unparse(node) for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.Name | ast.Attribute)}
    kinds = {type(node) for node in ast.walk(ast.Module(body, []))}
    if "run.finish" in used:
        return "code: the claim, judged"
    if len(cell.text.splitlines()) <= SHORT:
        return "code" if cell.folded else ""
    if not kinds & {ast.FunctionDef, ast.ClassDef, ast.For, ast.Assert} and not used & {"print", "run.say"}:
        if "Chapter" in used or kinds <= {ast.Module, ast.Import, ast.ImportFrom, ast.alias}:
            return "code: imports and settings"
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    draws = "run.show" in used and all("Figure(" in ast.unparse(function) for function in functions)
    if draws and not used & COMPUTES and not kinds & {ast.ClassDef, ast.Assert}:
        return "code: the figure, drawn"
    return "code" if cell.folded else ""


def _shown(output: str, folder: Path) -> list[str]:
    """Text as it was printed, figures in their places, the verdict for programs folded."""
    parts: list[str] = []
    texts = FIGURE.split(output)
    for number, text in enumerate(texts):
        if number % 2:
            drawn = STYLE.sub("", (folder / text).read_text(encoding="utf-8"))
            parts.append(f'```{{raw}} html\n<div class="figure">\n{drawn}\n</div>\n```')
        elif text.strip("\n"):
            parts += _printed(text.strip("\n"))
    return parts


def _printed(text: str) -> list[str]:
    if json_line(text) is None:
        return [_output(text)]
    before, _, verdict = text.rpartition("\n")
    folded = _folded("the verdict for programs", _output(verdict))
    return [_output(before), folded] if before else [folded]


def _folded(words: str, block: str) -> str:
    """What is shown by a click on the words."""
    return f'<details class="folded"><summary>{words}</summary>\n\n{block}\n\n</details>'


def _output(text: str) -> str:
    return _fenced(text, "{code-block} text\n:class: output\n")


def _fenced(text: str, directive: str) -> str:
    """A fence is longer than any within it."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}{directive}\n{text}\n{fence}"
