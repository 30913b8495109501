"""The sources of the book: links lead to pages, exercises follow their chapter, docstrings are shown as they are."""

from __future__ import annotations

import importlib.util
import re
import types
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tinygrad_llm.course.exercises.catalog import Course

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("pages", ROOT / "docs" / "pages.py")
pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pages)
FIRST = ROOT / "chapters" / "01_one_number_at_a_time.py"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "files").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("link", "page"),
    [
        ("../tinygrad_llm/autograd/scalar.py", "../api/tinygrad_llm.autograd.scalar.rst"),
        ("../tinygrad_llm/ops/__init__.py", "../api/tinygrad_llm.ops.rst"),
        ("02_tensors.py", "02_tensors.ipynb"),
        ("../tests/goldens/make_goldens.py", "../files/tests_goldens_make_goldens.py.rst"),
        ("https://example.org/a", "https://example.org/a"),
        ("../data/tales", ""),
    ],
)
def test_a_chapters_links_lead_to_pages_of_the_book(folder, link, page):
    assert pages._page(FIRST, link, folder) == page
    for file in (folder / "files").iterdir():
        included = re.search(r"literalinclude:: (.*)", file.read_text())[1]
        assert (file.parent / included).resolve() == (FIRST.parent / link).resolve()


def test_a_link_to_nothing_is_refused(folder):
    with pytest.raises(FileNotFoundError, match="01_one_number.*nothing.py"):
        pages._page(FIRST, "../tinygrad_llm/nothing.py", folder)


def test_images_are_no_links_and_words_may_hold_code():
    assert pages.LINK.findall("![a](b.svg) and [`c/d.py`](../c/d.py), [e](#here)") == [("`c/d.py`", "../c/d.py")]


@pytest.mark.parametrize(
    ("docstring", "found"),
    [
        ("One line.", [(True, "One line.")]),
        ("Two\nlines.\n\nAnd more.", [(True, "Two\nlines."), (True, "And more.")]),
        (
            "A formula:\n\n    y = x\n\n    z = y\n\nEnd.",
            [(True, "A formula:"), (False, "    y = x\n\n    z = y"), (True, "End.")],
        ),
        ("key    what it is\nlonger what else", [(False, "key    what it is\nlonger what else")]),
        (
            "The value.  The next sentence, (..., C) -> (..., C).   (B, T)",
            [(True, "The value.  The next sentence, (..., C) -> (..., C).   (B, T)")],
        ),
        ("", []),
    ],
)
def test_prose_is_told_from_what_is_set_out_in_columns(docstring, found):
    assert pages.paragraphs(docstring) == found


def test_docstrings_become_text_that_means_nothing_else():
    lines = ["`x` times *y* and a_b|c", "", "    1 * 2"]
    pages._docstring(None, "function", "f", None, None, lines)
    assert lines == [r"``x`` times \*y\* and a\_b\|c", "", ".. code-block:: text", "", "       1 * 2"]


def test_prose_of_exercises_is_escaped_but_not_their_code():
    assert pages._escaped("a_b * c, `d_e * [f]` <g> $h") == r"a\_b \* c, `d_e * [f]` \<g> \$h"


def test_an_exercise_says_its_task_its_time_and_how_to_begin():
    course = Course.load(ROOT)
    shown = pages._exercise(course, course.get("09.1"))
    assert shown.startswith("### 09.1 softmax: scores into shares\n\nAbout 15 minutes, in `work/e09/softmax.py`.")
    assert "```text\n    y_i = exp(x_i) / sum_j exp(x_j)" in shown and shown.endswith("```text\ntgl test 09.1\n```")
    assert "raise Todo" not in shown and "np.exp" not in shown


def test_each_chapter_stands_in_its_part_and_parts_without_one_are_left_out():
    listed = pages._contents([Path("chapters") / name for name in ("04_a.py", "05_b.py", "39_c.py", "43_d.py")])
    parts = dict(re.findall(r":caption: (.*)\n:maxdepth: 1\n\n((?:.+\n)*?)```", listed))
    assert parts == {
        "The engine": "chapters/04_a\n", "The transformer": "chapters/05_b\n", "Using": "chapters/39_c\nchapters/43_d\n",
        "The package": "api/tinygrad_llm\n",
    }  # fmt: skip


def test_a_modules_page_lists_what_is_below_it():
    page = pages._module_page("a.b", ["a", "a.b", "a.b.c_d", "a.b.c_d.e", "a.f"])
    assert page.startswith("a.b\n===\n") and "automodule:: a.b\n" in page
    assert "   c_d <a.b.c_d>\n" in page and "a.f" not in page and "a.b.c_d.e" not in page
    assert "toctree" not in pages._module_page("a.f", ["a", "a.f"])


def test_formulas_become_mathml_and_unknown_commands_are_reported(caplog):
    pytest.importorskip("latex2mathml", reason="formulas need the extra docs")
    nodes = pytest.importorskip("docutils.nodes", reason="formulas need the extra docs")
    writer = types.SimpleNamespace(body=[])
    for text, display in ((r"\frac{a}{b}", "block"), (r"\nosuch{a}", "inline")):
        with pytest.raises(nodes.SkipNode):
            pages._formula(writer, types.SimpleNamespace(astext=lambda text=text: text), display)
    drawn = ET.fromstring(writer.body[0])  # versions differ in the rows that they put around a letter
    (fraction,) = drawn.iter("{http://www.w3.org/1998/Math/MathML}mfrac")
    assert ["".join(part.itertext()) for part in fraction] == ["a", "b"]
    assert writer.body[0].startswith('<div class="formula">')
    assert "\\nosuch" in writer.body[1]
