"""The built book, for whoever reads it on a phone, in the dark, or by ear.  `make docs` runs this."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser import visit

from tinygrad_llm.visualize import Figure
from tinygrad_llm.visualize.dark import DARK
from tinygrad_llm.visualize.figure import INK

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "docs" / "_build" / "html"
READ = ["index.html", "guide/*.html", "chapters/*.html"]
MOST_BYTES = 1_000_000
FILLED_BY_A_SCRIPT = {"search.html"}
"""Pages whose heading is not in the file."""
pytestmark = pytest.mark.docs

MEASURE = """<script>{
  const seen = e => e.clientWidth > 0 && getComputedStyle(e).visibility !== 'hidden';
  const scrolled = e => e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX);
  const own = e => seen(e) && !e.matches('pre, .formula') && !e.parentElement.closest('pre, .formula, svg');
  const scrolls = [...document.querySelectorAll('article *')].filter(
    e => own(e) && (scrolled(e) || e.getBoundingClientRect().right > innerWidth + 1));
  const underlined = [...document.querySelectorAll('.highlight span')].filter(
    e => getComputedStyle(e).textDecorationLine !== 'none');
  const link = document.querySelector('article p a');
  parent.postMessage({page: NAME, width: innerWidth, whole: document.documentElement.scrollWidth,
    scrolls: scrolls.map(e => e.outerHTML.slice(0, 100)), underlined: underlined.map(e => e.textContent),
    columns: Math.max(0, ...[...document.querySelectorAll('.highlight pre')].map(e => e.clientWidth))
      / (measureLetter()), link: link && getComputedStyle(link).color,
    paper: getComputedStyle(document.body).backgroundColor}, '*'); }
function measureLetter() { const pre = document.querySelector('.highlight pre'); if (!pre) return 1;
  const s = document.createElement('span'); s.textContent = 'x'.repeat(100); pre.append(s);
  const w = s.getBoundingClientRect().width / 100; s.remove(); return w; }
</script></body>"""
COLLECT = """<!doctype html><meta name="color-scheme" content="light dark"><title>…</title><body><script>
  const found = []; addEventListener('message', m => { found.push(m.data);
  document.title = 'MEASURED ' + encodeURIComponent(JSON.stringify(found)); })</script>FRAMES"""


def measured(width, dark=False):
    """What each page that is read says of itself, in a frame so wide."""
    pages = sorted(page for pattern in READ for page in BOOK.glob(pattern))
    copies = [page.with_name(f"measured-{page.name}") for page in pages]
    whole = BOOK / "measured.html"
    try:
        for page, copy in zip(pages, copies):
            script = MEASURE.replace("NAME", json.dumps(page.name))
            copy.write_text(page.read_text(encoding="utf-8").replace("</body>", script), encoding="utf-8")
        frame = f'<iframe src="{{}}" style="width:{width}px;height:800px;border:0"></iframe>'
        frames = "".join(frame.format(copy.relative_to(BOOK).as_posix()) for copy in copies)
        whole.write_text(COLLECT.replace("FRAMES", frames), encoding="utf-8")
        said = re.search(r"<title>MEASURED (.*?)</title>", visit(whole, width=width + 100, dark=dark).dom)[1]
    finally:
        for path in (*copies, whole):
            path.unlink(missing_ok=True)
    found = json.loads(unquote(html.unescape(said)))
    assert sorted(page["page"] for page in found) == sorted(page.name for page in pages)
    assert {page["width"] for page in found} == {width}
    return found


@pytest.mark.parametrize("width", [420, 800, 1280])
def test_nothing_but_code_and_formulas_is_scrolled_sideways(width):
    for page in measured(width):
        assert page["whole"] <= width and page["scrolls"] == [], page["page"]


def test_some_95_letters_of_code_fit_into_a_window_of_a_laptop():
    for page in measured(1280):
        assert page["page"][0].isalpha() or 92 <= page["columns"] <= 105, page


def luminance(color):
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_links_can_be_read_and_names_in_code_do_not_look_like_them(dark):
    papers = set()
    for page in measured(800, dark):
        assert page["underlined"] == [], page["page"]
        low, high = sorted([luminance(page["link"]), luminance(page["paper"])]) if page["link"] else (0, 1)
        assert (high + 0.05) / (low + 0.05) >= 4.5, page["page"]  # WCAG 2.2, contrast of text
        papers.add(luminance(page["paper"]) < 0.1)
    assert papers == {dark}


class Parts(HTMLParser):
    """Of a page: the levels of its headings, its images without words, its anchors and its links."""

    def __init__(self, text):
        super().__init__()
        self.levels, self.silent, self.ids, self.links = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids |= {given[key] for key in ("id", "name") if given.get(key)}
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "img" and not (given.get("alt") or "").strip():
            self.silent.append(given.get("src"))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


@pytest.fixture(scope="module")
def parts():
    return {page: Parts(page.read_text(encoding="utf-8")) for page in sorted(BOOK.rglob("*.html"))}


def test_each_page_has_one_title_and_headings_go_down_by_one(parts):
    for page, found in parts.items():
        if page.name not in FILLED_BY_A_SCRIPT:
            assert found.levels.count(1) == 1 and found.levels[0] == 1, page
            assert all(below <= above + 1 for above, below in zip(found.levels, found.levels[1:])), page


def test_each_image_has_words_for_those_who_cannot_see_it(parts):
    assert [(page.name, found.silent) for page, found in parts.items() if found.silent] == []
    for page in (BOOK / "chapters").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        for figure in re.findall(r'<div class="figure">(.*?)</div>', text, re.DOTALL):
            assert re.match(r"\s*<svg [^>]*role='img'[^>]*>\s*<title>[^<]+</title><desc>[^<]+</desc>", figure), page


def test_every_place_that_a_link_names_is_on_its_page(parts):
    lost = []
    for page, found in parts.items():
        for link in found.links:
            path, _, place = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if place and not re.match("[a-z]+:|//", link) and target in parts and place not in parts[target].ids:
                lost.append(f"{page.relative_to(BOOK)}: {link}")
    assert lost == []


def test_no_page_is_heavier_than_a_megabyte(parts):
    assert [page for page in parts if page.stat().st_size > MOST_BYTES] == []


def test_the_map_leads_to_each_chapter_by_a_picture_and_by_its_name_and_to_its_files(parts):
    text = (BOOK / "index.html").read_text(encoding="utf-8")
    cards = re.findall(r'<div class="card docutils container">(.*?)</div>', text, re.DOTALL)
    scripts = sorted((ROOT / "chapters").glob("[0-9][0-9]_*.py"))
    assert len(cards) == len(scripts)
    for script, card in zip(scripts, cards):
        assert card.count(f'href="chapters/{script.stem}.html"') == 2 and re.search(r'<img [^>]*alt="[^"]{20,}', card)
        files = re.findall(rf'href="_downloads/[^"]*/{script.stem}\.(\w+)"', card)
        assert files == ["txt", "ipynb", "py"]
        assert len(re.sub("<[^>]*>|\\s+", " ", card)) > 60, "a line of what it shows"


def test_each_chapter_offers_its_notebook_its_script_and_its_record():
    for script in sorted((ROOT / "chapters").glob("[0-9][0-9]_*.py")):
        text = (BOOK / "chapters" / f"{script.stem}.html").read_text(encoding="utf-8")
        paths = dict(re.findall(rf'href="(\.\./_downloads/[^"]*/{script.stem}\.(\w+))"', text))
        files = {end: (BOOK / "chapters" / path).read_text(encoding="utf-8") for path, end in paths.items()}
        assert set(files) == {"ipynb", "py", "txt"} and files["py"] == script.read_text(encoding="utf-8")
        assert json.loads(files["ipynb"])["nbformat"] == 4 and files["txt"].startswith(
            f"$ python chapters/{script.name}"
        )


@pytest.mark.parametrize("dark", [False, True])
def test_a_figure_follows_the_books_switch_and_where_nobody_turned_it_the_reader(dark):
    figure = Figure(20, 20, "t")
    figure.text((5, 5), "a", INK)
    drawn = re.sub("<style>.*?</style>", "", figure.svg)
    script = """<script>const ink = document.querySelector('.drawing text'), said = [];
        for (const theme of ['auto', 'light', 'dark']) {
          document.body.dataset.theme = theme; said.push(getComputedStyle(ink).fill); }
        document.title = 'INK ' + said.join(' '); </script></body>"""
    page, copy = BOOK / "index.html", BOOK / "measured.html"
    body = f'<div class="figure">{drawn}</div>{script}'
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", body), encoding="utf-8")
    try:
        shown = re.findall(
            r"rgb\((\d+), (\d+), (\d+)\)", re.search("<title>INK (.*?)</title>", visit(copy, dark=dark).dom)[1]
        )
    finally:
        copy.unlink()
    found = ["#" + "".join(f"{int(part):02x}" for part in color) for color in shown]
    assert found == [DARK[INK] if dark else INK, INK, DARK[INK]]
