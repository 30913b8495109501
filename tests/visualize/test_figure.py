"""A figure is the same drawing as SVG, as a page and in matplotlib, and needs nothing from elsewhere."""

from __future__ import annotations

import builtins
import importlib.util
import re
import struct
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from browser import visit

from tinygrad_llm.autograd import Value
from tinygrad_llm.errors import ArgumentError, ConfigError, StorageError
from tinygrad_llm.visualize import Figure, bar_chart, graph_figure, heat_map, line_chart
from tinygrad_llm.visualize.marks import Circle, Text

SVG = "{http://www.w3.org/2000/svg}"
needs_matplotlib = pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="matplotlib is not installed")


def graph():
    a, b = Value(2.0), Value(-0.6)
    y = (a * b + a).tanh()
    y.backward()
    return graph_figure(y, {"a": a, "b": b})


FIGURES = {
    "lines": lambda: line_chart(
        {"$a$ & <b>": [(0, 1), (1, 2)], "c": [(0, 2.0), (1, 0.0)]},
        title="Lines · ½",
        ylabel="nats",
        baselines={"by chance": 0.5},
    ),
    "bars": lambda: bar_chart({"one": 1.0, "three": 3.0}, title="Bars"),
    "heat": lambda: heat_map(np.eye(3), ["Tom", "has", "it"], ["Tom", "has", "it"], title="Heat", numbers=True),
    "graph": graph,
}
every = pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)


def said(figure):
    return [mark.words for mark in figure.marks if isinstance(mark, Text) and mark.words]


@every
def test_in_a_notebook_it_is_never_wider_than_its_column_and_otherwise_the_same(make):
    figure = make()
    shown = figure._repr_html_()
    assert shown.replace(" style='max-width:100%;height:auto'", "") == figure.svg
    assert ET.fromstring(shown).get("style") == "max-width:100%;height:auto"


@every
def test_as_a_page_it_is_whole_and_asks_for_nothing(make, tmp_path):
    figure = make()
    page = visit(figure.save(tmp_path / "a.html"))
    assert page.console == [] and page.asked == []
    dom = ET.fromstring(re.search(r"<svg.*</svg>", page.dom, re.DOTALL)[0])
    assert [t.text for t in dom.iter(SVG + "text") if t.text] == said(figure)
    assert len(list(dom)) == 4 + len(figure.marks)  # its title, its description, its dark colors, its background


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("<script>console.error('boo')</script>", "console"),
        ("<script>missing()</script>", "console"),
        ("<img src='http://example.org/a.png'>", "asked"),
        ("<link rel='stylesheet' href='https://example.org/a.css'>", "asked"),
        ("<script>fetch('https://example.org/').catch(() => 0)</script>", "asked"),
    ],
)
def test_a_page_that_complains_or_asks_for_something_is_noticed(body, field, tmp_path):
    (tmp_path / "bad.html").write_text(f"<!doctype html><title>x</title>{body}", encoding="utf-8")
    assert getattr(visit(tmp_path / "bad.html"), field)


@needs_matplotlib
@every
def test_as_png_it_has_two_dots_a_pixel(make, tmp_path):
    figure = make()
    content = figure.save(tmp_path / "a.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (2 * figure.width, 2 * figure.height)


@needs_matplotlib
@every
def test_on_matplotlibs_paper_are_the_same_marks(make):
    figure = make()
    axes = figure.matplotlib().axes[0]
    assert len(axes.lines) + len(axes.patches) + len(axes.texts) == len(figure.marks)
    assert [t.get_text() for t in axes.texts if t.get_text()] == said(figure)


@needs_matplotlib
def test_each_mark_stands_where_it_was_put():
    figure = Figure(60, 40, "t")
    figure.rect((10, 5), 20, 10, "#ff0000")
    figure.dot((45, 30), "#0000ff", 5)
    figure.line((5, 35), (25, 35), "#00ff00", 4)
    figure.path([(50, 2), (50, 18)], "#00ff00", 4)
    figure.rect((20, 10), 4, 4, "#ffff00")  # above the first
    paper = figure.matplotlib()
    paper.canvas.draw()
    pixels = np.asarray(paper.canvas.buffer_rgba())[..., :3]
    assert pixels.shape == (40, 60, 3)
    colors = {(12, 7): "ff0000", (28, 13): "ff0000", (22, 12): "ffff00", (45, 30): "0000ff", (15, 35): "00ff00", (50, 10): "00ff00",
              (12, 20): "ffffff", (33, 8): "ffffff", (45, 10): "ffffff"}  # fmt: skip
    assert {place: bytes(pixels[place[1], place[0]]).hex() for place in colors} == colors


@needs_matplotlib
def test_words_are_anchored_and_turned_as_in_svg():
    figure = Figure(200, 200, "t")
    for anchor in ("start", "middle", "end"):
        figure.text((100, 50), "wide words", "#000000", anchor=anchor)
    figure.text((100, 180), "wide words", "#000000", rotation=-90)
    paper = figure.matplotlib()
    paper.canvas.draw()
    boxes = [t.get_window_extent() for t in paper.axes[0].texts]
    near = pytest.approx
    assert boxes[0].x0 == near(100, abs=2) and boxes[2].x1 == near(100, abs=2)
    assert (boxes[1].x0 + boxes[1].x1) / 2 == near(100, abs=2)
    assert boxes[3].y0 == near(20, abs=2) and boxes[3].height > 3 * boxes[3].width  # it reads upwards; here y goes up


@needs_matplotlib
def test_painting_leaves_matplotlibs_settings_alone(tmp_path):
    import matplotlib

    before, backend = dict(matplotlib.rcParams), sys.modules.get("matplotlib.pyplot")
    FIGURES["lines"]().save(tmp_path / "a.png")
    assert dict(matplotlib.rcParams) == before and sys.modules.get("matplotlib.pyplot") is backend


def test_without_matplotlib_the_way_to_it_is_named_and_nothing_is_written(tmp_path, monkeypatch):
    real = builtins.__import__

    def no_matplotlib(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    figure = FIGURES["bars"]()
    for use in (figure.matplotlib, lambda: figure.save(tmp_path / "a.png")):
        with pytest.raises(ConfigError, match=r"matplotlib.*pip install.*\[learn\]"):
            use()
    assert not list(tmp_path.iterdir())
    figure.save(tmp_path / "a.svg")


def test_other_endings_and_a_disk_that_refuses_are_said(tmp_path):
    figure = FIGURES["bars"]()
    with pytest.raises(ArgumentError, match="html or"):
        figure.save(tmp_path / "a.pdf")
    with pytest.raises(StorageError):
        figure.save(tmp_path / "nowhere" / "a.html")


def test_words_of_a_title_cannot_break_the_page():
    figure = Figure(10, 10, "</title><script>1</script>", "{braces}")
    assert "<script>" not in figure.html and "{braces}" in figure.html


def test_marks_are_kept_as_they_were_drawn():
    figure = Figure(10, 10, "t")
    figure.dot((1, 2), "#000000")
    assert figure.marks == [Circle((1, 2), "#000000", 3)]


@pytest.mark.parametrize("curvature", [0, 20, -30])
def test_an_arrow_ends_in_a_head_that_looks_along_it_and_passes_where_it_is_bent(curvature):
    figure = Figure(200, 200, "t")
    a, b = np.array([20.0, 40.0]), np.array([140.0, 90.0])
    figure.arrow(tuple(a), tuple(b), "#000000", curvature)
    way, head = figure.marks
    tip, *wings = map(np.array, head.corners)
    start = np.array(way.middle) if curvature else a
    direction = (b - start) / np.hypot(*(b - start))
    assert (tip == b).all() and tuple(way.a) == tuple(a) and tuple(way.b) == tuple(b)
    for wing in wings:
        across = (wing - tip) @ np.array([direction[1], -direction[0]])
        assert (wing - tip) @ direction == pytest.approx(-8) and abs(across) == pytest.approx(4)
    assert (wings[0] + wings[1]) / 2 == pytest.approx(tip - 8 * direction)
    if curvature:
        assert (a + 2 * start + b) / 4 == pytest.approx((a + b) / 2 + [0, curvature])
    figure.arrow((5, 5), (5, 5), "#000000")  # from nowhere to nowhere: drawn without a division by 0
    assert "nan" not in figure.svg


def test_words_lose_spaces_that_no_browser_shows():
    figure = Figure(10, 10, "t")
    figure.text((0, 0), "  a   b ")
    assert said(figure) == ["a b"]
