"""A chapter's page, from its script and the record of its last full run, and the notebook that the page offers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from tinygrad_llm.course.record import FIGURE, Cell, Record, cells_of, json_line

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]+)\)")


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
    return f"*{says}. The chapter as a {{download}}`notebook <{name}.ipynb>`.*"


def _code(cell: Cell) -> str:
    block = _fenced(cell.text, "{code-block} python")
    return f'<details class="folded"><summary>code</summary>\n\n{block}\n\n</details>' if cell.folded else block


def _shown(output: str, folder: Path) -> list[str]:
    """Text as it was printed, figures in their places, the verdict for programs folded."""
    parts: list[str] = []
    texts = FIGURE.split(output)
    for number, text in enumerate(texts):
        if number % 2:
            drawn = (folder / text).read_text(encoding="utf-8")
            parts.append(f'```{{raw}} html\n<div class="figure">\n{drawn}\n</div>\n```')
        elif text.strip("\n"):
            parts += _printed(text.strip("\n"))
    return parts


def _printed(text: str) -> list[str]:
    if json_line(text) is None:
        return [_output(text)]
    before, _, verdict = text.rpartition("\n")
    folded = f'<details class="folded"><summary>the verdict as JSON</summary>\n\n{_output(verdict)}\n\n</details>'
    return [_output(before), folded] if before else [folded]


def _output(text: str) -> str:
    return _fenced(text, "{code-block} text\n:class: output\n")


def _fenced(text: str, directive: str) -> str:
    """A fence is longer than any within it."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}{directive}\n{text}\n{fence}"
