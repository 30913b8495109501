"""The sources of the book: links lead to pages, exercises follow their chapter, docstrings are shown as they are."""

from __future__ import annotations

import json
import re
import sys
import types
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.record import Record, cells_of

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
import chapter_page  # noqa: E402
import pages  # noqa: E402

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
        ("02_tensors.py", "02_tensors.md"),
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
    assert chapter_page.LINK.findall("![a](b.svg) and [`c/d.py`](../c/d.py), [e](#here)") == [("`c/d.py`", "../c/d.py")]


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


SCRIPT = """# %% [markdown]
# # 77 · Made up
#
# See [here](there.py), and [that](nowhere).

# %% folded
import math

# %%
print("drawn")

# %%
silent = "```"

# %%
done()
"""
KEYS = [cell.key for cell in cells_of(SCRIPT)]


def recorded(folder, **change):
    (folder / "chart.svg").write_text("<svg xmlns='x'>\n\n</svg>")
    verdict = {"holds": True, "seconds": 1.5}
    outputs = {KEYS[2]: ["before\nfigure: chart.svg\nafter ```"], KEYS[4]: [f"all\n{json.dumps(verdict)}"]}
    run = {"command": "python chapters/77_x.py", "outputs": outputs, "verdict": verdict, "sources": {}}
    return Record(folder=folder, **(run | change))


def shown(record, stale=()):
    return chapter_page.page(SCRIPT, record, list(stale), "77_x", {"there.py": "../there.rst", "nowhere": ""}.get)


def test_a_chapters_page_shows_what_its_cells_printed_and_drew_behind_them(tmp_path):
    parts = shown(recorded(tmp_path)).split("\n\n")
    assert parts[0] == "# 77 · Made up" and "See [here](../there.rst), and that." in parts
    text = "\n\n".join(parts)
    order = ["import math", 'print("drawn")', "before", "<svg", "after", "silent", "done()", "all", '"holds"']
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert "figure: chart.svg" not in text and "```{raw} html" in text
    assert '````{code-block} python\nsilent = "```"\n````' in text and "````{code-block} text" in text


def test_folded_code_and_the_verdict_are_there_for_those_who_ask(tmp_path):
    folded = re.findall(r"<details.*?</details>", shown(recorded(tmp_path)), re.DOTALL)
    assert len(folded) == 2 and "import math" in folded[0] and '"holds": true' in folded[1]
    assert "drawn" not in "".join(folded) and "all" not in folded[1].replace("small", "")


def line_below_the_title(text):
    return text.split("\n\n")[1]


def test_a_page_says_in_one_line_of_which_run_its_outputs_are(tmp_path):
    record = recorded(tmp_path)
    notebook = "The chapter as a {download}`notebook <77_x.ipynb>`.*"
    run = "`python chapters/77_x.py`, which took 1.5 seconds"
    assert line_below_the_title(shown(record)) == f"*Outputs are those of {run}. {notebook}"
    older = line_below_the_title(shown(record, ["chapters/77_x.py"]))
    assert older == f"*Outputs are those of an older run, {run}; `chapters/77_x.py` has changed since. {notebook}"
    assert "`a.py` and 2 more files have changed since" in line_below_the_title(shown(record, ["a.py", "b.py", "c.py"]))
    none = shown(None)
    assert line_below_the_title(none) == f"*This chapter has no recorded run: the page shows no outputs. {notebook}"
    assert "code-block} text" not in none and 'print("drawn")' in none
    assert line_below_the_title(shown(recorded(tmp_path, verdict=None))).startswith(
        "*Outputs are those of `python chap"
    )


def test_the_notebook_has_every_cell_and_no_output():
    found = json.loads(chapter_page.notebook(SCRIPT))
    cells = found["cells"]
    assert ["".join(cell["source"]) for cell in cells] == [cell.text for cell in cells_of(SCRIPT)]
    assert [cell["cell_type"] for cell in cells] == ["markdown"] + ["code"] * 4
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells[1:])
    assert cells[1]["metadata"] == {"jupyter": {"source_hidden": True}} and len({cell["id"] for cell in cells}) == 5
    nbformat = pytest.importorskip("nbformat", reason="its schema needs nbformat")
    nbformat.validate(nbformat.from_dict(found))


def test_no_chapter_is_run_for_its_page(folder, monkeypatch):
    (folder / "chapters").mkdir()
    path = folder / "77_x.py"
    path.write_text("# %% [markdown]\n# # 77 · X\n\n# %%\nraise SystemExit\n", encoding="utf-8")
    monkeypatch.setattr(pages, "RECORDS", folder)
    pages._write_chapter(Course(folder, ()), path, folder)
    assert "raise SystemExit" in (folder / "chapters" / "77_x.md").read_text()
    assert json.loads((folder / "chapters" / "77_x.ipynb").read_text())["nbformat"] == 4


def test_each_chapter_stands_in_its_part_and_parts_without_one_are_left_out():
    listed = pages._contents([Path("chapters") / name for name in ("04_a.py", "05_b.py", "39_c.py", "43_d.py")])
    parts = dict(re.findall(r":caption: (.*)\n:maxdepth: 1\n\n((?:.+\n)*?)```", listed))
    assert parts == {
        "The engine": "chapters/04_a\n", "The transformer": "chapters/05_b\n", "Using": "chapters/39_c\nchapters/43_d\n",
        "The package": "guide/glossary\nguide/architecture\nguide/from_pytorch\nguide/contributing\napi/tinygrad_llm\n",
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
