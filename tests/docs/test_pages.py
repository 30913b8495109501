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
from tinygrad_llm.course.record import Cell, Record, cells_of
from tinygrad_llm.visualize import Figure
from tinygrad_llm.visualize.dark import DARK

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
import book_map  # noqa: E402
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
    files = "The chapter as a {download}`notebook <77_x.ipynb>`, as a {download}`script <77_x.py>`"
    notebook = f"{files}; {{download}}`what it printed <77_x.txt>`.*"
    run = "`python chapters/77_x.py`, which took 1.5 seconds"
    assert line_below_the_title(shown(record)) == f"*Outputs are those of {run}. {notebook}"
    older = line_below_the_title(shown(record, ["chapters/77_x.py"]))
    assert older == f"*Outputs are those of an older run, {run}; `chapters/77_x.py` has changed since. {notebook}"
    assert "`a.py` and 2 more files have changed since" in line_below_the_title(shown(record, ["a.py", "b.py", "c.py"]))
    none = shown(None)
    assert line_below_the_title(none) == f"*This chapter has no recorded run: the page shows no outputs. {files}.*"
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
    assert (folder / "chapters" / "77_x.py").read_text() == path.read_text()
    assert json.loads((folder / "chapters" / "77_x.ipynb").read_text())["nbformat"] == 4


def test_each_chapter_stands_in_its_part_and_parts_without_one_are_left_out():
    parts = pages._parts([Path("chapters") / name for name in ("04_a.py", "05_b.py", "39_c.py", "43_d.py")])
    listed = pages._contents(parts)
    parts = dict(re.findall(r":caption: (.*)\n:maxdepth: 1\n:hidden:\n\n((?:.+\n)*?)```", listed))
    assert parts == {
        "The engine": "chapters/04_a\n", "The transformer": "chapters/05_b\n", "Using": "chapters/39_c\nchapters/43_d\n",
        "The package": "guide/glossary\nguide/evaluating\nguide/architecture\nguide/from_pytorch\nguide/contributing\napi/tinygrad_llm\n",
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


def code(text, folded=False):
    return Cell(False, folded, 1, text)


SETS_UP = 'import numpy as np\n\nrun = Chapter("77", "A claim.")\nRATE, STEPS = run.pick((0.1, 100), (0.1, 5))'
DRAWS = "lines = []\nfor name, color in pairs:\n    lines.append(Line(name, points[name], color))\nrun.show(line_chart(lines, title='t'), 'a')"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import math\nimport re\n\nimport numpy as np\nfrom tinygrad_llm import nn", "code: imports and settings"),
        (SETS_UP, "code: imports and settings"),
        (f"{SETS_UP}\n\n\ndef taught(x):\n    return x", ""),
        (f"{SETS_UP}\nprint('something to read')", ""),
        (DRAWS, "code: the figure, drawn"),
        (
            f"def drawing(points):\n    figure = Figure(10, 10, 't')\n    return figure\n\n{DRAWS}",
            "code: the figure, drawn",
        ),
        (f"def learned(points):\n    return sorted(points)\n\n{DRAWS}", ""),
        (f"for seed in run.seeds:\n    train(seed)\n{DRAWS}", ""),
        (f"{DRAWS}\nassert lines", ""),
        (f"np.testing.assert_allclose(ours, theirs)\n{DRAWS}", ""),
        (f"print(table(rows, heads))\n{DRAWS}", ""),
        ("run.show(figure, 'a')", ""),
        ("missed = 1 - found\nrun.check('missed', missed, at_most=1)\nrun.finish()", "code: the claim, judged"),
        ("x = 1\ny = 2\nz = 3\nprint(x + y + z)", ""),
    ],
)
def test_cells_that_set_up_draw_or_judge_are_folded_and_what_is_taught_never(text, words):
    assert chapter_page.purpose(code(text)) == words
    assert chapter_page.purpose(code(text, folded=True)) == (words or "code")
    shown = chapter_page._code(code(text))
    assert shown.startswith(f'<details class="folded"><summary>{words}</summary>') if words else shown.startswith("```")
    assert text in shown


def test_each_chapter_is_mostly_there_to_be_read_and_its_first_and_last_cells_are_folded():
    for script in sorted((ROOT / "chapters").glob("[0-9][0-9]_*.py")):
        cells = [cell for cell in cells_of(script.read_text(encoding="utf-8")) if not cell.markdown]
        folds = [chapter_page.purpose(cell) for cell in cells]
        assert folds[0] == "code: imports and settings" and folds[-1] == "code: the claim, judged", script.name
        assert folds.count("") > len(folds) / 2, script.name


def test_figures_take_their_colors_from_the_books_style_sheet_alone(tmp_path):
    record = recorded(tmp_path)
    Figure(10, 10, "t").save(tmp_path / "chart.svg")
    text = shown(record)
    assert "<svg xmlns='http://www.w3.org/2000/svg' class='drawing'" in text and "<style>" not in text
    css = pages.figure_colors()
    switched, preferred = css.strip().splitlines()
    for light, dark in DARK.items():
        for rules in (switched, preferred):
            assert f"[fill='{light}']{{fill:{dark}}}" in rules and f"[stroke='{light}']{{stroke:{dark}}}" in rules
    assert "body[data-theme=dark] .figure .drawing [" in switched
    assert preferred.startswith("@media (prefers-color-scheme:dark){body:not([data-theme='light']) .figure .drawing [")


README = "| | chapter | what |\n|---|---|---|\n| 77 | [Made up](chapters/77_x.py) | a line with *words* |\n"


def test_the_map_has_for_each_chapter_its_fullest_figure_a_line_and_its_files(tmp_path):
    script, records = tmp_path / "77_x.py", tmp_path / "records"
    script.write_text(SCRIPT, encoding="utf-8")
    (records / "77").mkdir(parents=True)
    small, large = Figure(10, 10, "small"), Figure(10, 10, "What [it] shows", "a_b from 1 to 2")
    large.text((1, 1), "more")
    for name, figure in (("small", small), ("large", large)):
        figure.save(records / "77" / f"{name}.svg")
    (records / "77" / "output.txt").write_text(
        f"$ x\n%% {KEYS[2]}\nfigure: small.svg\nfigure: large.svg\n", encoding="utf-8"
    )
    (records / "77" / "sources.txt").write_text("", encoding="utf-8")
    shown = book_map.book_map({"A part": [script]}, records, README, tmp_path)
    for part in (
        "## A part", r"[![What \[it\] shows: a\_b from 1 to 2](figures/77.svg)](chapters/77_x.md)",
        "**[77 · Made up](chapters/77_x.md)**", "\n\na line with *words*\n\n",
        "{download}`record <chapters/77_x.txt>` · {download}`notebook <chapters/77_x.ipynb>` · "
        "{download}`script <chapters/77_x.py>`",
    ):  # fmt: skip
        assert part in shown
    assert (tmp_path / "figures" / "77.svg").read_text() == large.svg


def test_a_chapter_without_a_record_or_a_line_is_on_the_map_too(tmp_path):
    script = tmp_path / "77_x.py"
    script.write_text(SCRIPT, encoding="utf-8")
    shown = book_map.book_map({"A part": [script]}, tmp_path, "", tmp_path)
    assert "**[77 · Made up](chapters/77_x.md)**" in shown and "![" not in shown and "`record" not in shown


def test_every_chapter_of_the_book_has_a_line_on_the_map():
    lines = dict(book_map.ROW.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert sorted(lines) == [path.name[:2] for path in sorted((ROOT / "chapters").glob("[0-9][0-9]_*.py"))]


def test_the_book_is_made_in_silence_and_a_warning_ends_it():
    recipe = re.search(r"^docs: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    (line,) = [line for line in recipe.splitlines() if "sphinx-build" in line]
    assert {"-W", "-q"} <= set(line.split())
