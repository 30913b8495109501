"""A prompt says all that its template asks for, nothing else, and as much of it as has room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DataError, TokenError
from tinygrad_llm.prompt import Part, PromptTemplate
from tinygrad_llm.tokenizer import ByteTokenizer, CharTokenizer

BYTES = ByteTokenizer()
TEXT = "{task}\n{examples}\nText: {text}\nLabel:"
PARTS = (Part("examples", cut="start", separator="\n"), Part("text", cut="end"), Part("task", default="Sort."))
TEMPLATE = PromptTemplate(TEXT, PARTS)


def test_parts_stand_where_their_names_do():
    assert TEMPLATE.names == ("task", "examples", "text")
    assert TEMPLATE.fill({"examples": ["a", "b"], "text": "c"}) == "Sort.\na\nb\nText: c\nLabel:"
    assert TEMPLATE.fill({"examples": "", "text": "c", "task": "Do."}) == "Do.\n\nText: c\nLabel:"
    assert PromptTemplate("{a}{b}{a} {{x}}").fill({"a": "1", "b": ["2", "3"]}) == "12\n\n31 {x}"
    assert PromptTemplate("no parts").fill({}) == "no parts"


def test_what_a_part_says_is_never_a_template_itself():
    evil = "{text.__class__} {{ } {0} %s"
    assert PromptTemplate("[{text}]").fill({"text": evil}) == f"[{evil}]"
    assert PromptTemplate("{a}{b}").fill({"a": "{b}", "b": "{a}"}) == "{b}{a}"


def test_what_is_missing_or_unknown_is_said_by_name():
    assert TEMPLATE.missing({}) == ["examples", "text"] and TEMPLATE.missing({"examples": "", "text": ""}) == []
    assert TEMPLATE.unknown({"text": "", "Text": ""}) == ["Text"]
    for values, words in (
        ({"text": "a"}, "none of examples"), ({"examples": "", "text": "", "label": "", "x": ""}, "got label, x"),
        ({"examples": "", "text": 3}, "text: expected a text"), ({"examples": [1], "text": ""}, "examples: .*something else"),
        ({"examples": {"a": "b"}, "text": ""}, "examples"), ({"examples": b"a", "text": ""}, "examples"), ({"examples": None, "text": ""}, "examples"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=words):
            TEMPLATE.fill(values)


@pytest.mark.parametrize("text", ["{", "a }", "{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:>3}", "{a b}"])
def test_a_text_that_is_no_template_is_refused(text):
    with pytest.raises(ArgumentError, match="template"):
        PromptTemplate(text)


def test_parts_that_there_are_not_are_refused():
    with pytest.raises(DataError, match="got b"):
        PromptTemplate("{a}", (Part("b"),))
    with pytest.raises(DataError, match="once"):
        PromptTemplate("{a}", (Part("a"), Part("a")))
    with pytest.raises(ArgumentError, match="start or end"):
        Part("a", cut="middle")


def test_a_list_loses_items_and_then_a_text_its_words():
    values = {"examples": ["one 1", "two 2", "three 3"], "text": "some  long\nwords here"}
    whole = TEMPLATE.fill(values)
    fit = lambda room: TEMPLATE.fit(values, BYTES, room)
    assert (fit(len(whole)).text, fit(len(whole)).tokens, fit(len(whole)).lost) == (whole, len(whole), {})
    found = fit(len(whole) - 1)
    assert (
        found.lost == {"examples": 1} and found.text == whole.replace("one 1\n", "") and found.tokens == len(found.text)
    )
    found = fit(len(whole) - len("one 1\ntwo 2\nthree 3") - 1)
    assert found.lost == {"examples": 3, "text": 1} and "Text: some  long\nwords\n" in found.text
    least = len("Sort.\n\nText: \nLabel:")
    assert fit(least).text == "Sort.\n\nText: \nLabel:" and fit(least).lost == {"examples": 3, "text": 4}
    with pytest.raises(
        DataError, match=f"at most {least - 1} tokens, got {least} with all cut.*examples, text.*takes 15.*task 5"
    ):
        fit(least - 1)


def test_a_part_that_may_not_be_cut_is_not_and_an_end_is_the_one_that_is_named():
    values = {"a": "one two three", "b": "four five six"}
    text = PromptTemplate("{a}|{b}", (Part("b", cut="start"),)).fit(values, BYTES, 20).text
    assert text == "one two three|six"
    with pytest.raises(DataError, match="nothing"):
        PromptTemplate("{a}").fit({"a": "long"}, BYTES, 3)
    with pytest.raises(TokenError):
        PromptTemplate("{a}").fit({"a": "Q"}, CharTokenizer("ab"), 3)
    with pytest.raises(ArgumentError, match="room"):
        TEMPLATE.fit({"examples": "", "text": ""}, BYTES, 0)


WORDS = st.lists(st.sampled_from(["a", "bb", "über", "\n", " ", "c d"]), max_size=6).map(" ".join)


@given(st.lists(WORDS, max_size=4), WORDS, st.sampled_from(["start", "end"]), st.integers(1, 60))
def test_nothing_is_cut_that_had_room(examples, text, cut, room):
    template = PromptTemplate("{examples};{text}.", (Part("examples", cut, "\n"), Part("text", "end")))
    values = {"examples": examples, "text": text}
    size = lambda values: len(template.fill(values).encode())
    try:
        found = template.fit(values, BYTES, room)
    except DataError:
        assert size({"examples": [], "text": ""}) > room
        return
    assert found.tokens == len(found.text.encode()) <= room
    lost = found.lost.get("examples", 0)
    kept = lambda n: examples[len(examples) - n :] if cut == "start" else examples[:n]
    assert found.text.startswith("\n".join(kept(len(examples) - lost)) + ";")
    if lost:  # with one more it would have been too long
        assert size({"examples": kept(len(examples) - lost + 1), "text": text}) > room
    elif not found.lost:
        assert found.text == template.fill(values)
    if "text" in found.lost:
        assert lost == len(examples)  # what is listed first is cut first
        said = found.text.split(";", 1)[1][:-1]
        ends = [e for e in range(1, len(text)) if not text[e - 1].isspace() and text[e].isspace()]
        fits = [e for e in (0, *ends) if size({"examples": [], "text": text[:e]}) <= room]
        assert said == text[: max(fits)] and len(said.split()) == len(text.split()) - found.lost["text"]
