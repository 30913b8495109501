"""The built book, looked at in a browser: no page complains, none asks another machine for anything.  `make docs` runs this."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser import visit

from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.record import FIGURE, Record, cells_of

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "docs" / "_build" / "html"
SCRIPTS = sorted((ROOT / "chapters").glob("[0-9][0-9]_*.py"))
pytestmark = pytest.mark.docs


def page_of(script: Path) -> Path:
    return BOOK / "chapters" / f"{script.stem}.html"


class Links(HTMLParser):
    """Every address of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("href", "src") and value]


@pytest.mark.parametrize("name", ["index", "search", "genindex", "api/tinygrad_llm", "api/tinygrad_llm.ops.softmax"])
def test_a_page_loads_in_silence(name):
    page = visit(BOOK / f"{name}.html")
    assert page.console == [] and page.asked == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_a_chapters_page_shows_its_recorded_run_and_its_exercises(script):
    page = visit(page_of(script))
    assert page.console == [] and page.asked == []
    record = Record.load(ROOT / "docs" / "records" / script.name[:2])
    figures = re.findall(r'<div class="figure">\s*<svg xmlns=', page.dom)
    cells = cells_of(script.read_text(encoding="utf-8"))
    printed = {cell.key for cell in cells} & set(record.outputs) if record else set()
    assert record is None or record.stale(ROOT) or printed == set(record.outputs), "a record of other cells"
    assert len(figures) == sum(len(FIGURE.findall(text)) for key in printed for text in record.outputs[key])
    assert ("has no recorded run" in page.dom) == (record is None) and "figure: " not in page.dom
    words = html.unescape(re.sub("<[^>]*>", "", page.dom))
    judged = re.search(r"The claim holds in all of its \d+ parts", words) and '"holds": true' in words
    assert judged or cells[-1].key not in printed
    prose = "\n".join(cell.text for cell in cells if cell.markdown)
    assert ("$" not in prose) or "<math" in page.dom
    assert "merror" not in page.dom
    for exercise in Course.load(ROOT).of_chapter(script.name[:2]):
        assert f"{exercise.id} " in page.dom and f"tgl test {exercise.id}" in page.dom


def test_each_formula_and_figure_takes_up_space(tmp_path):
    """In the page itself: a script that measures, and writes what it found into the title."""
    script = next(s for s in SCRIPTS if s.stem == "02_tensors")
    measure = """<script>addEventListener('load', () => {
        const seen = [...document.querySelectorAll('math, .figure svg')].map(e => e.getBoundingClientRect());
        document.title = 'MEASURED ' + seen.length + ' ' + seen.filter(b => b.width > 5 && b.height > 5).length
          + ' ' + Math.max(...seen.map(b => b.right)) + ' ' + innerWidth; })</script></body>"""
    copy = page_of(script).with_name("measured.html")
    copy.write_text(page_of(script).read_text(encoding="utf-8").replace("</body>", measure), encoding="utf-8")
    try:
        for width in (1440, 500):
            found = re.search(r"MEASURED (\d+) (\d+) ([\d.]+) (\d+)", visit(copy, width=width).dom)
            assert int(found[1]) == int(found[2]) > 10
            assert float(found[3]) <= int(found[4]), f"wider than a window of {width}"
    finally:
        copy.unlink()


def test_every_link_within_the_book_leads_somewhere():
    broken = []
    for page in BOOK.rglob("*.html"):
        for link in Links(page.read_text(encoding="utf-8")).found:
            path = unquote(re.split(r"[#?]", link)[0])
            if path and not re.match(r"[a-z]+:|//", path) and not (page.parent / path).exists():
                broken.append(f"{page.relative_to(BOOK)}: {link}")
    assert broken == []


def test_no_page_names_another_machine_as_a_source():
    for page in BOOK.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(
            r"<(?:script|img|iframe)[^>]*src=[\"'](?:https?:)?//|<link[^>]*href=[\"'](?:https?:)?//", text
        ), page


def test_a_chapters_links_to_files_lead_to_their_documentation():
    text = page_of(SCRIPTS[0]).read_text(encoding="utf-8")
    words = re.findall(r'<a [^>]*href="../api/tinygrad_llm.autograd.scalar.html"[^>]*>(.*?)</a>', text)
    assert any("scalar.py" in word for word in words)
    api = (BOOK / "api" / "tinygrad_llm.autograd.scalar.html").read_text(encoding="utf-8")
    assert 'href="../_modules/tinygrad_llm/autograd/scalar.html' in api
