"""The map of the book: for each chapter a figure, a line of what it shows, its page and its record."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinygrad_llm.course.record import FIGURE, Record, cells_of

SVG = "{http://www.w3.org/2000/svg}"
ROW = re.compile(r"^\| (\d\d) \| \[.*?\]\(chapters/\S+\.py\) \| (.*) \|$", re.MULTILINE)


def book_map(parts: Mapping[str, Sequence[Path]], records: Path, readme: str, folder: Path) -> str:
    """A section a part, a card a chapter; figures and records are copied into the folder of the sources.

    readme  whose table has a line a chapter; where it has none, the chapter's claim is taken.
    """
    lines = dict(ROW.findall(readme))
    sections = []
    for part, chapters in parts.items():
        cards = "\n".join(_card(path, Record.load(records / path.name[:2]), lines, folder) for path in chapters)
        sections.append(f"## {part}\n\n`````{{container}} map\n{cards}\n`````\n")
    return "\n".join(sections)


def _card(path: Path, record: Record | None, lines: Mapping[str, str], folder: Path) -> str:
    number, page = path.name[:2], f"chapters/{path.stem}.md"
    title = cells_of(path.read_text(encoding="utf-8"))[0].text.splitlines()[0].removeprefix("# ")
    claim = (record.verdict or {}).get("claim", "") if record else ""
    kinds = {"record": "txt", "notebook": "ipynb", "script": "py"}
    files = [f"{{download}}`{k} <chapters/{path.stem}.{end}>`" for k, end in kinds.items() if record or k != "record"]
    figure = _figure(record, number, folder) if record else ""
    parts = [
        f"[{figure}]({page})" if figure else "",
        f"**[{title}]({page})**",
        lines.get(number, claim),
        " · ".join(files),
    ]
    return "````{container} card\n" + "\n\n".join(part for part in parts if part) + "\n````"


def _figure(record: Record, number: str, folder: Path) -> str:
    """Of the figures that the run drew the one with most in it, with its title and description in words."""
    names = [name for texts in record.outputs.values() for text in texts for name in FIGURE.findall(text)]
    if not names:
        return ""
    (folder / "figures").mkdir(exist_ok=True)
    path = max((record.folder / name for name in names), key=lambda path: path.stat().st_size)
    shutil.copyfile(path, folder / "figures" / f"{number}.svg")
    drawing = ET.parse(path).getroot()
    told = ": ".join((drawing.findtext(SVG + what) or "").strip() for what in ("title", "desc"))
    return "![" + re.sub(r"([\\\[\]`*_$<])", r"\\\1", told) + f"](figures/{number}.svg)"
