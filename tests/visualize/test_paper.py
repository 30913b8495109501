"""No word is cut: whatever is written, the paper holds it, were each letter 0.6 em wide.  And figures say what they show."""

from __future__ import annotations

import importlib.util
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.autograd import Value
from tinygrad_llm.visualize import (
    Figure,
    attention_strips,
    attention_text,
    bar_chart,
    graph_figure,
    grouped_bars,
    heat_map,
    line_chart,
    patches_figure,
    routed_text,
)

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
LONG = "words that go on, and on, and on, and do not end where the drawing does, as people write them "
DRAWN = sorted([*(ROOT / "docs" / "records").glob("*/*.svg"), *(ROOT / "docs").glob("*.svg")])


def cut(svg):
    """The texts that leave the view box of a drawing."""
    root = ET.fromstring(svg)
    left, top, width, height = map(float, root.get("viewBox").split())
    found = []
    for text in root.iter(SVG + "text"):
        length = 0.6 * float(text.get("font-size")) * len(text.text or "")
        before = {"start": 0, "middle": length / 2, "end": length}[text.get("text-anchor")]
        turn = re.search(r"rotate\(([-\d.]+)", text.get("transform") or "")
        angle = math.radians(float(turn[1])) if turn else 0.0
        for far in (-before, length - before) if text.text else ():
            x, y = float(text.get("x")) + far * math.cos(angle), float(text.get("y")) + far * math.sin(angle)
            if not (left - 0.1 <= x <= left + width + 0.1 and top - 0.1 <= y <= top + height + 0.1):
                found.append(text.text)
    return found


def graph():
    a = Value(2.0)
    return graph_figure((a * Value(-0.6) + a).tanh(), {"a value with a name of its own": a}, title=LONG)


FIGURES = {
    "lines": lambda: line_chart(
        {LONG: [(0, 1), (1, 2)]}, title=LONG, subtitle=LONG * 2, xlabel=LONG * 2, ylabel=LONG, baselines={LONG: 1.5}
    ),
    "bars": lambda: bar_chart({LONG: 1.0, "b": 2.0}, title="t", subtitle=LONG, unit=f" of {LONG}"),
    "groups": lambda: grouped_bars({LONG: {LONG: 1.0, "b": 2.0}}, title=LONG, subtitle=LONG * 2),
    "heat": lambda: heat_map(np.eye(2), [LONG, "b"], ["a", LONG], title="t", subtitle=LONG * 3),
    "words": lambda: attention_text([(["ab", "cd"], 0, np.ones(2) / 2, LONG * 2)], title=LONG * 2, subtitle=LONG),
    "strips": lambda: attention_strips({LONG: np.ones(3) / 3, "b": np.ones(3) / 3}, title=LONG, subtitle=LONG * 2),
    "routed": lambda: routed_text([(["ab", "cd"], [0, 1], LONG * 2)], title=LONG * 2, subtitle=LONG),
    "graph": graph,
    "pictures": lambda: patches_figure(
        np.zeros((2, 1, 4, 2)), patch=2, title=LONG, subtitle=LONG, captions=[LONG, "b"]
    ),
}
every = pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)


@every
def test_no_word_of_a_figure_is_cut(make):
    figure = make()
    assert cut(figure.svg) == []


def test_words_that_would_be_cut_are_found_and_paper_without_them_keeps_its_size():
    figure = Figure(100, 40, "t")
    figure.text((90, 20), "cut off", anchor="start")
    figure.text((50, 38), "turned upwards", rotation=-90)
    small = re.sub("viewBox='[^']*'", "viewBox='0 0 100 40'", figure.svg)
    assert cut(small) == ["cut off", "turned upwards"] and cut(figure.svg) == []
    plain = Figure(100, 40, "t")
    plain.text((5, 20), "all here")
    assert plain.paper == (0, 0, 100, 40)


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="matplotlib is not installed")
def test_as_png_the_paper_is_as_large():
    figure = FIGURES["lines"]()
    left, top, width, height = figure.paper
    axes = figure.matplotlib().axes[0]
    assert axes.get_xlim() == (left, left + width) and axes.get_ylim() == (top + height, top)
    assert tuple(axes.figure.get_size_inches() * axes.figure.dpi) == pytest.approx((width, height))


def test_the_subtitle_of_a_narrow_heat_map_takes_several_lines_above_its_names():
    short, long = (heat_map(np.eye(2), ["a", "b"], ["c", "d"], title="t", subtitle=words) for words in ("s", LONG * 2))
    assert long.paper[2] == long.width == short.width and long.height > short.height
    texts = [m for m in long.marks if type(m).__name__ == "Text"]
    under = [t for t in texts if t.words and t.at[0] == 16 and t.size == 12]
    names = [t for t in texts if t.words == "c"]
    assert len(under) >= 3 and max(t.at[1] for t in under) + 16 < names[0].at[1]


@pytest.mark.parametrize("path", DRAWN, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_word_of_a_figure_of_the_book_is_cut(path):
    assert cut(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", DRAWN, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_figure_of_the_book_is_an_image_with_a_title_and_a_description(path):
    root = ET.parse(path).getroot()
    title, told = root.find(SVG + "title"), root.find(SVG + "desc")
    assert root.get("role") == "img" and title.text.strip() and told.text.strip()
    assert next(iter(root)) is title, "only a first child names the image"


@every
def test_a_description_says_more_than_the_title(make):
    figure = make()
    assert figure.description and figure.description != figure.title


def test_the_description_of_a_heat_map_says_what_is_largest_in_each_row():
    told = heat_map(np.array([[0.9, 0.1], [0.25, 0.75]]), ["he", "she"], ["Ben", "Ann"], title="t").description
    assert told == "2 rows by 2 columns; the largest of each row: he: Ben 0.9, she: Ann 0.75"
    many = heat_map(np.eye(20), list("abcdefghijklmnopqrst"), list("abcdefghijklmnopqrst"), title="t").description
    assert many.endswith("p: p 1; and 4 more rows")


def test_the_description_of_a_graph_says_what_was_made_from_what():
    a, b = Value(2.0), Value(-3.0)
    told = graph_figure(a * b, {"a": a, "b": b}).description
    assert told == "3 nodes: a = 2, grad 0; b = -3, grad 0; -6, grad 0 (from a = 2 and b = -3)"


def test_the_description_of_a_text_says_which_word_has_most_weight():
    figure = attention_text([(["Ben", " ran"], 1, np.array([0.9, 0.1]), "Who ran?")], title="t")
    assert figure.description == "Who ran? Most weight: Ben"
