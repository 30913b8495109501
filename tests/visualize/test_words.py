"""Words in figures: any two tokens can be told apart, and no text breaks a drawing."""

from __future__ import annotations

import importlib.util
import unicodedata
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.autograd import Value
from tinygrad_llm.visualize import (
    Figure,
    attention_figure,
    attention_strips,
    attention_text,
    bar_chart,
    graph_figure,
    grouped_bars,
    heat_map,
    line_chart,
    next_token_bars,
    routed_text,
)
from tinygrad_llm.visualize.words import legal, visible

SVG = "{http://www.w3.org/2000/svg}"
ANY = st.text(st.characters(exclude_categories=()), max_size=12)  # halves of surrogate pairs as well
BLANKS = st.text(st.sampled_from(" \n\t\r\x1c\x85\xa0\u200b\u2028\u3000\\␣∅nau"), max_size=5)


def words(figure):
    return [t.text for t in ET.fromstring(figure.svg.encode("utf-8")).iter(SVG + "text")]


def test_labels_show_spaces_line_ends_and_what_cannot_be_seen():
    shown = {
        "the": "the", " the": "␣the", "the ": "the␣", "\n": "\\n", "  ": "␣␣", "": "∅", "head 1": "head 1", "a  b": "a␣␣b",
        "\\n": "\\\\n", "␣": "\\u2423", "\t": "\\t", "\x00": "\\x00", "a\u200bb": "a\\u200bb", "\ud800": "\\ud800", "é🙂": "é🙂",
    }  # fmt: skip
    assert {token: visible(token) for token in shown} == shown


@given(st.one_of(BLANKS, ANY))
def test_a_label_has_a_sign_for_every_character_and_gives_the_token_back(token):
    label = visible(token)
    assert label == label.strip() and label.isprintable() and label and "  " not in label
    back = label.replace("∅", "").replace("␣", " ")
    parts = [p.encode("ascii").decode("unicode_escape") if p.isascii() else p for p in split_escapes(back)]
    assert "".join(parts) == token


def split_escapes(label):
    """The label cut into single characters and escapes of Python."""
    i = 0
    while i < len(label):
        length = {"x": 4, "u": 6, "U": 10}.get(label[i + 1], 2) if label[i] == "\\" else 1
        yield label[i : i + length]
        i += length


@given(st.one_of(BLANKS, ANY), st.one_of(BLANKS, ANY))
def test_two_rows_of_a_heat_map_never_look_alike(first, second):
    names = words(heat_map(np.eye(2), [first, second], ["a", "b"], title="t"))[-2:]
    assert names == [visible(first), visible(second)]
    assert (names[0] == names[1]) is (first == second)


def every_figure(text):
    """Each kind of figure, with the text wherever a caller can put one."""
    about = {"title": text, "subtitle": text}
    a = Value(1.0)
    yield heat_map(np.eye(2), [text, "x"], ["y", text], numbers=True, **about)
    yield attention_figure(np.eye(2), [text, "x"], ["y", text], **about)
    yield attention_text([([text, "x", text], 0, np.ones(3) / 3, text)], bold=[text], **about)
    yield next_token_bars(np.array([0.5, 0.5]), [text, "x"], **about)
    yield bar_chart({text: 1.0}, unit=text, **about)
    yield grouped_bars({text: {text: 1.0}}, captions={text: text}, **about)
    yield line_chart({text: [(0, 1), (1, 2)]}, xlabel=text, ylabel=text, baselines={text: 1.0}, **about)
    yield graph_figure(a * 2.0, {text: a}, title=text)
    yield attention_strips({text: np.ones(3) / 3}, marked=1, **about)
    yield routed_text([([text, "x"], [0, 1], text)], **about)
    yield Figure(10, 10, text, text)


@given(st.one_of(BLANKS, ANY))
def test_no_text_breaks_a_drawing(text):
    for figure in every_figure(text):
        root = ET.fromstring(figure.svg.encode("utf-8"))
        assert root.find(SVG + "title").text or not text.strip()
        assert all(legal(mark) == mark for mark in words(figure) if mark)
        figure.html.encode("utf-8")
        ET.fromstring(figure._repr_html_().encode("utf-8"))


def test_every_character_there_is_may_stand_in_a_drawing():
    for first in range(0, 0x110000, 0x2000):
        block = "".join(map(chr, range(first, first + 0x2000)))
        figure = Figure(10, 10, block, block)
        figure.text((0, 0), block)
        (shown,) = words(figure)
        letters = [c for c in block if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cs")]
        assert all(c in shown for c in letters if c not in "\ufffe\uffff")


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="matplotlib is not installed")
@pytest.mark.parametrize("text", ["\ud800", "\x00", "a\nb", " the", "\uffff"])
def test_on_matplotlibs_paper_the_same_words_stand(text):
    figure = heat_map(np.eye(2), [text, "x"], ["y", text], title=text)
    figure.matplotlib().canvas.draw()
    assert [t.get_text() for t in figure.matplotlib().axes[0].texts if t.get_text()] == [w for w in words(figure) if w]
