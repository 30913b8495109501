"""Lays out the pages of the book, and is the Sphinx extension that renders its formulas and docstrings.

    python docs/pages.py FOLDER      writes the sources: a page a chapter, a module, a linked file

No chapter is run: its outputs are those of its record (docs/records, `make claims`). Its links to files become links to
their pages, and its exercises follow it.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from book_map import book_map
from chapter_page import notebook, page

from tinygrad_llm.course.exercises.catalog import Course, Exercise
from tinygrad_llm.course.record import Record
from tinygrad_llm.visualize.dark import CLASS, DARK, dark_rules

ROOT = Path(__file__).resolve().parents[1]
RECORDS = ROOT / "docs" / "records"
PACKAGE = "tinygrad_llm"
PARTS = {
    "The engine": 1, "The transformer": 5, "How models grew": 14, "Fine-tuning": 21, "Asking and sampling": 28,
    "Measuring": 30, "Serving": 32, "Using": 39,
}  # fmt: skip
"""Each part's first chapter."""
DOCS = ROOT / "docs"
GUIDE = [
    DOCS / "glossary.md",
    DOCS / "evaluating.md",
    DOCS / "architecture.md",
    DOCS / "from_pytorch.md",
    ROOT / "CONTRIBUTING.md",
]
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]+)\)")
EXERCISES = """## Exercises

`tgl start` lays them out in `work/`, `tgl watch` looks at your file each time you save, `tgl hint` helps by degrees."""


def write(folder: Path) -> None:
    """All sources, in a folder that is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("chapters", "api", "files", "guide", "static"):
        (folder / part).mkdir(parents=True)
    for path in GUIDE:
        text = LINK.sub(
            lambda match, path=path: f"[{match[1]}]({_guide_link(path, match[2])})", path.read_text("utf-8")
        )
        (folder / "guide" / f"{path.stem.lower()}.md").write_text(text, encoding="utf-8")
    modules = [_module(path) for path in sorted((ROOT / PACKAGE).rglob("*.py")) if path.name != "__main__.py"]
    for module in modules:
        (folder / "api" / f"{module}.rst").write_text(_module_page(module, modules), encoding="utf-8")
    course = Course.load(ROOT)
    for path in course.chapters().values():
        _write_chapter(course, path, folder)
    (folder / "static" / "figures.css").write_text(figure_colors(), encoding="utf-8")
    parts = _parts(list(course.chapters().values()))
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    shown = book_map(parts, RECORDS, (ROOT / "README.md").read_text(encoding="utf-8"), folder)
    (folder / "index.md").write_text(f"{index}\n{shown}\n{_contents(parts)}", encoding="utf-8")


def figure_colors() -> str:
    """CSS: figures follow the book's switch between light and dark, which theirs alone would not know of."""
    drawing = f".figure .{CLASS}"
    for_those_who_prefer_it = dark_rules(DARK, f"body:not([data-theme='light']) {drawing}")
    return (
        f"{dark_rules(DARK, f'body[data-theme=dark] {drawing}')}\n"
        f"@media (prefers-color-scheme:dark){{{for_those_who_prefer_it}}}\n"
    )


def _parts(chapters: list[Path]) -> dict[str, list[Path]]:
    """The chapters of each part that has any."""
    parts: dict[str, list[Path]] = {}
    for path in chapters:
        part = [name for name, first in PARTS.items() if first <= int(path.name[:2])][-1]
        parts.setdefault(part, []).append(path)
    return parts


def _contents(parts: dict[str, list[Path]]) -> str:
    """For the margin, a list a part and the package's; on the page that of the package alone."""
    lists = {part: [f"chapters/{path.stem}" for path in chapters] for part, chapters in parts.items()}
    package = [*(f"guide/{path.stem.lower()}" for path in GUIDE), f"api/{PACKAGE}"]
    named = "\n".join([*(f"- [](guide/{path.stem.lower()}.md)" for path in GUIDE), f"- [{PACKAGE}](api/{PACKAGE}.rst)"])
    return f"## The package\n\n{named}\n\n" + "\n".join(
        "\n".join(["```{toctree}", f":caption: {part}", ":maxdepth: 1", ":hidden:", "", *pages, "```", ""])
        for part, pages in [*lists.items(), ("The package", package)]
    )


def _write_chapter(course: Course, path: Path, folder: Path) -> None:
    script = path.read_text(encoding="utf-8")
    record = Record.load(RECORDS / path.name[:2])
    stale = record.stale(ROOT) if record else []
    text = page(script, record, stale, path.stem, lambda link: _page(path, link, folder))
    if exercises := course.of_chapter(path.name[:2]):
        text = "\n\n".join([text, EXERCISES, *(_exercise(course, exercise) for exercise in exercises)])
    (folder / "chapters" / f"{path.stem}.md").write_text(text, encoding="utf-8")
    (folder / "chapters" / f"{path.stem}.ipynb").write_text(notebook(script), encoding="utf-8")
    (folder / "chapters" / path.name).write_text(script, encoding="utf-8")
    if record:
        shutil.copyfile(record.folder / "output.txt", folder / "chapters" / f"{path.stem}.txt")


def _guide_link(path: Path, link: str) -> str:
    """The page of the guide, or the chapter, that a page of the guide links to; what is elsewhere as it is."""
    target = (path.parent / link).resolve()
    if target.parent == ROOT / "chapters":
        return f"../chapters/{target.stem}.md"
    return f"{target.stem.lower()}.md" if target in GUIDE else link


def _page(chapter: Path, link: str, folder: Path) -> str:
    """Where the book has what a chapter links to; "" for a folder, which has no page."""
    if "://" in link:
        return link
    path = (chapter.parent / link).resolve()
    if not path.exists():
        raise FileNotFoundError(f"{chapter.name} links to {link}")
    if path.is_dir():
        return ""
    if path.parent == chapter.parent and path.suffix == ".py":
        return f"{path.stem}.md"
    if path.is_relative_to(ROOT / PACKAGE) and path.suffix == ".py":
        return f"../api/{_module(path)}.rst"
    name = path.relative_to(ROOT).as_posix()
    page = folder / "files" / (name.replace("/", "_") + ".rst")
    language = "python" if path.suffix == ".py" else "text"
    literal = f".. literalinclude:: {os.path.relpath(path, page.parent)}\n   :language: {language}\n"
    page.write_text(f":orphan:\n\n{_title(name)}\n{literal}", encoding="utf-8")
    return f"../files/{page.name}"


def _exercise(course: Course, exercise: Exercise) -> str:
    """Its title, how long it takes, what is asked, and how to begin."""
    task = ast.get_docstring(ast.parse(course.stub(exercise).read_text(encoding="utf-8"))) or ""
    parts = [f"### {exercise.id} {exercise.title}", f"About {exercise.minutes} minutes, in `work/{exercise.file}`."]
    for prose, text in paragraphs(task.partition("\n")[2]):
        parts.append(_escaped(text) if prose else f"```text\n{text}\n```")
    return "\n\n".join([*parts, f"```text\ntgl test {exercise.id}\n```"])


def _escaped(text: str) -> str:
    """Markdown that shows the text, `code` as code."""
    pieces = text.split("`")
    pieces[::2] = [re.sub(r"([\\*_$<\[])", r"\\\1", piece) for piece in pieces[::2]]
    return "`".join(pieces)


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _module_page(module: str, modules: list[str]) -> str:
    below = [m for m in modules if m.rpartition(".")[0] == module]
    tree = "".join(f"   {m.rpartition('.')[2]} <{m}>\n" for m in below)
    contents = f".. toctree::\n   :maxdepth: 1\n\n{tree}\n" if below else ""
    return f"{_title(module)}\n.. automodule:: {module}\n\n{contents}"


def _title(words: str) -> str:
    words = words.replace("_", r"\_")
    return f"{words}\n{'=' * len(words)}\n"


def paragraphs(docstring: str) -> list[tuple[bool, str]]:
    """(is it prose, its text): what is indented, or set out in columns, is shown as it stands."""
    found: list[tuple[bool, str]] = []
    for text in re.split(r"\n\s*\n", docstring.strip("\n")):
        lines = text.rstrip().splitlines()
        prose = not any(line.startswith("    ") or re.search(r"\S {2,}(?![A-Z(])\S", line) for line in lines)
        if found and not prose and not found[-1][0]:
            found[-1] = (False, f"{found[-1][1]}\n\n{text.rstrip()}")
        elif lines:
            found.append((prose, text.rstrip()))
    return found


def _docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """A docstring here is plain text: prose is escaped, `code` is code, the rest is literal."""
    out: list[str] = []
    for prose, text in paragraphs("\n".join(lines)):
        if prose:
            pieces = text.split("`")
            pieces[::2] = [re.sub(r"([\\*_|])", r"\\\1", piece) for piece in pieces[::2]]
            out += ["``".join(pieces).strip() or "", ""]
        else:
            out += [".. code-block:: text", "", *(f"   {line}" for line in text.splitlines()), ""]
    lines[:] = "\n".join(out).splitlines()


def _formula(self: Any, node: Any, display: str) -> None:
    """LaTeX → MathML, which browsers show by themselves."""
    from docutils.nodes import SkipNode
    from latex2mathml.converter import convert
    from sphinx.util import logging

    mathml = convert(node.astext(), display=display)
    if "\\" in mathml:
        logging.getLogger(__name__).warning("a formula has a command that is not known: %s", node.astext())
    self.body.append(f'<div class="formula">{mathml}</div>' if display == "block" else mathml)
    raise SkipNode


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _docstring)
    app.connect("builder-inited", lambda app: app.config.html_static_path.append(str(Path(app.srcdir) / "static")))
    app.add_css_file("figures.css")
    app.add_html_math_renderer(
        "mathml", (lambda s, n: _formula(s, n, "inline"), None), (lambda s, n: _formula(s, n, "block"), None)
    )
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
