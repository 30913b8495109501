"""Answers are read where they stand, and the one that most say counts, whoever adds up the votes."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DataError, ShapeError
from tinygrad_llm.prompt import majority, read_answer, read_choice, read_number

ANSWERS = {
    "3 + 4 = 7. The answer is 7.": "7", "the answer is:  a big dog .\nNot this": "a big dog", "The answer is 1.\nNo. THE ANSWER IS 2": "2",
    "no marker": None, "The answer is": None, "The answer is \n7": None, "The answer is .": None, "": None, "The answer is 3.5.": "3.5",
}  # fmt: skip
NUMBERS = {
    "The answer is $1,200.50 a month": "1200.5", "It is 3, no 4. The answer is 7.0.": "7", "The answer is −12": "-12", "The answer is +0.50": "0.5",
    "so 10-7 = 3": "3", "it takes 10-7": "7", "from -4": "-4", "The answer is -$5": "-5", "no": None, "The answer is no": None, "half is .5": "0.5",
    "The answer is 0.0": "0", "The answer is -0": "0", "The answer is 100": "100", "1,2,3": "3", "The answer is 1,234,567": "1234567",
    "The answer is 1e": "1", "The answer is 1.": "1", "A (5) -3": "-3", "The answer is 007": "7", "The answer is 12,34": "12",
}  # fmt: skip


@pytest.mark.parametrize(("text", "answer"), ANSWERS.items(), ids=ANSWERS)
def test_an_answer_is_what_follows_the_last_marker_in_its_line(text, answer):
    assert read_answer(text) == answer


@pytest.mark.parametrize(("text", "answer"), NUMBERS.items(), ids=NUMBERS)
def test_numbers_of_one_value_have_one_spelling(text, answer):
    assert read_number(text) == answer


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4))
def test_any_number_is_read_as_what_it_is(value):
    for said in (f"{value:f}", f"{value:,f}"):
        assert Fraction(read_number(f"The answer is {said}.")) == Fraction(value)
        assert read_number(f"The answer is {said}.") == read_number(f"thus {said}")


def test_a_marker_of_ones_own_is_read_as_it_stands():
    assert read_answer("x = #### 12 apples", "####") == "12 apples" and read_number("2 #### 12", "####") == "12"
    assert read_answer("(a) 1 [a] 2", "[a]") == "2"
    with pytest.raises(ArgumentError, match="marker"):
        read_answer("a", "")
    with pytest.raises(DataError, match="text"):
        read_answer(3)


def test_a_choice_is_read_as_whole_words_the_first_and_the_longest():
    choices = ["yes", "no", "not sure", "no way"]
    for text, choice in {"The answer is No.": "no", "The answer is: not sure": "not sure", "The answer is nothing": None, "yes": None,
                         "The answer is no way, yes": "no way", "The answer is maybe; YES, no": "yes"}.items():  # fmt: skip
        assert read_choice(text, choices) == choice
    assert read_choice("The answer is (B).", ["(A)", "(B)"]) == "(B)"
    for bad in ([], ["a", ""]):
        with pytest.raises(DataError, match="choices"):
            read_choice("a", bad)


def test_the_most_usual_answer_counts_and_of_equals_the_first():
    found = majority(["7", None, " 8", "8 ", "7 ", None, "7"])
    assert (found.answer, dict(found.votes), found.share, found.is_tie) == ("7", {"7": 3, " 8": 2}, 3 / 5, False)
    found = majority(["b", "a", "a", "b"])
    assert (found.answer, found.share, found.is_tie) == ("b", 0.5, True)
    assert majority(["B", "a", "b"], key=str.lower).answer == "B"
    for nobody in ([], [None, None]):
        assert (majority(nobody).answer, majority(nobody).share, majority(nobody).is_tie) == (None, 0, False)


def test_votes_may_weigh_and_what_cannot_is_refused():
    found = majority(["a", "b", "b", None], [0.7, 0.3, 0.3, 9])
    assert found.answer == "a" and found.share == pytest.approx(0.7 / 1.3)
    assert majority(["a", "b"], [0, 0]).answer is None
    tied = majority(["a", "a", "a", "b"], [0.1, 0.1, 0.1, 0.1 + 0.1 + 0.1])
    assert tied.votes["a"] == pytest.approx(tied.votes["b"])
    with pytest.raises(ShapeError):
        majority(["a"], [1, 2])
    for bad in (-1, math.nan, math.inf):
        with pytest.raises(ArgumentError, match="weights"):
            majority(["a"], [bad])


@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=12), st.randoms())
def test_but_for_ties_the_order_does_not_matter(answers, draw):
    found, shuffled = majority(answers), draw.sample(answers, len(answers))
    again = majority(shuffled)
    assert dict(again.votes) == dict(found.votes) and (again.share, again.is_tie) == (found.share, found.is_tie)
    if not found.is_tie:
        assert again.answer == found.answer
    assert sum(found.votes.values()) == sum(answer is not None for answer in answers)
    if found.answer is not None:
        assert found.votes[found.answer] == max(found.votes.values())
        first = next(a for a in answers if a is not None and found.votes[a] == found.votes[found.answer])
        assert found.answer == first
