"""A routed text shows each word on the color of its expert, with the expert's number."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize import routed_text
from tinygrad_llm.visualize.dark import DARK
from tinygrad_llm.visualize.routing import GROUNDS

SVG = "{http://www.w3.org/2000/svg}"


def marks(figure, tag):
    return list(ET.fromstring(figure.svg).iter(SVG + tag))


def test_each_word_stands_on_the_color_of_its_expert():
    figure = routed_text([(["king", "sees", " owl"], [0, 7, 8], "English"), (["dorak"], [3], "lingo")], title="t")
    grounds = [m.get("fill") for m in marks(figure, "rect")][1:]  # the first is the paper
    assert grounds == [GROUNDS[0], GROUNDS[7], GROUNDS[0], GROUNDS[3]]
    words = [t.text for t in marks(figure, "text") if t.text]
    assert words == ["t", "English", "king", "1", "sees", "8", "␣owl", "9", "lingo", "dorak", "4"]
    rects = marks(figure, "rect")[1:]
    for word, rect in zip([t for t in marks(figure, "text") if t.text in ("king", "sees", "␣owl", "dorak")], rects):
        left, width = float(rect.get("x")), float(rect.get("width"))
        assert left < float(word.get("x")) < left + width
        assert 0 < float(word.get("y")) - float(rect.get("y")) < float(rect.get("height"))
    assert "English: king 1 sees 8 ␣owl 9" in marks(figure, "desc")[0].text


def test_each_color_is_another_one_and_has_a_partner_in_the_dark():
    assert len(set(GROUNDS)) == 8 and set(GROUNDS) <= set(DARK)


@pytest.mark.parametrize("texts", [[], [([], [], "a")], [(["a", "b"], [0], "a")]])
def test_what_does_not_fit_is_refused(texts):
    with pytest.raises(ArgumentError, match="with an expert for each word"):
        routed_text(texts, title="t")
