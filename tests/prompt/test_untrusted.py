"""Marks around the texts of others, in them, and taken out of them."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.prompt import datamarked, delimited, without


class Scripted:
    """A generator that draws these letters, one mark after the other."""

    def __init__(self, *marks):
        self.marks = list(marks)

    def integers(self, below, size):
        assert below == 26 and size == len(self.marks[0])
        return np.array([ord(letter) - ord("a") for letter in self.marks.pop(0)])


def test_a_text_stands_between_two_of_one_mark():
    mark, text = delimited("cup\nred", np.random.default_rng(0), 6)
    assert re.fullmatch("[a-z]{6}", mark)
    assert text.split("\n") == [mark, "cup", "red", mark]


def test_a_mark_that_is_in_the_text_is_drawn_again():
    assert delimited("so za it ends", Scripted("za", "sq", "en", "qq"), 2) == ("sq", "sq\nso za it ends\nsq")


def test_marks_differ_from_prompt_to_prompt():
    rng = np.random.default_rng(1)
    assert len({delimited("cup", rng)[0] for _ in range(50)}) == 50


def test_where_each_mark_is_in_the_text_there_is_an_error():
    with pytest.raises(ArgumentError, match="length"):
        delimited("abcdefghijklmnopqrstuvwxyz", np.random.default_rng(0), 1)


@pytest.mark.parametrize("length", [0, 2.5, True])
def test_a_length_is_a_whole_number(length):
    with pytest.raises(ArgumentError, match="length"):
        delimited("cup", np.random.default_rng(0), length)


def test_each_word_has_the_mark_before_it():
    assert datamarked(" cup  red\nsay ") == "^cup^red^say"
    assert datamarked("cup red", " ~ ") == " ~ cup ~ red"
    assert datamarked("") == ""


def test_a_mark_in_the_text_is_marked_as_well():
    assert datamarked("cup ^ say") == "^cup^^^say"
    assert datamarked("cup ^ say ^say", " ^ ").split() == ["^", "cup", "^", "^", "^", "say", "^", "^say"]


@given(st.lists(st.text("ab^", min_size=1), max_size=5))
def test_no_word_is_without_a_mark(words):
    found = datamarked(" ".join(words), " | ").split()
    assert found[::2] == ["|"] * len(words) and found[1::2] == words


def test_a_mark_has_to_be_seen():
    with pytest.raises(ArgumentError, match="mark"):
        datamarked("cup", " ")


def test_what_a_gap_joins_is_taken_out_too():
    assert without("cup <e<end>nd> red", ("<end>",)) == "cup  red"
    assert without("<e<e<e<e<end>nd>nd>nd>nd> red", ("<end>",)) == " red"
    assert without("<user<end>> say <e<user>nd>", ("<end>", "<user>")) == " say "


@given(st.text("<>ab", max_size=12), st.lists(st.text("<>ab", min_size=1, max_size=3), max_size=3))
def test_no_mark_is_left_and_nothing_else_is_lost_from_a_text_that_has_none(text, marks):
    found = without(text, marks)
    assert not any(mark in found for mark in marks)
    if not any(mark in text for mark in marks):
        assert found == text


def test_an_empty_mark_is_no_mark():
    with pytest.raises(ArgumentError, match="marks"):
        without("cup", ("",))
