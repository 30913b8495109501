"""What a setting may be: which numbers and words are in a range, how one is read, and how a wrong one is refused."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, ConfigError
from tinygrad_llm.ranges import SEEDS, TEXT, check_range, check_whole, number, one_of, whole

TINY = 1e-9


@pytest.mark.parametrize("ends", ["[]", "(]", "[)", "()"])
def test_ends_say_whether_the_bounds_belong(ends):
    allowed = number(0.5, 2.0, ends)
    assert (0.5 in allowed, 2.0 in allowed) == (ends[0] == "[", ends[1] == "]")
    assert 0.5 + TINY in allowed and 2.0 - TINY in allowed and 1 in allowed
    assert 0.5 - TINY not in allowed and 2.0 + TINY not in allowed


def test_whole_numbers_are_whole_and_lie_within_both_bounds():
    allowed = whole(1, 1000)
    assert 1 in allowed and 1000 in allowed
    for wrong in (0, 1001, 2.0, True, "2", None, math.nan, math.inf, Fraction(2), [2]):
        assert wrong not in allowed, wrong
    assert str(SEEDS) == str(whole(1, 1000)) and 1000 in SEEDS and 1001 not in SEEDS


def test_an_argument_is_a_whole_number_of_pythons_or_numpys():
    for right in (0, 5, 10**30, np.int64(0), np.uint8(255), np.array([3])[0]):
        check_whole(0, count=right)
    for wrong in (
        -1,
        np.int64(-1),
        2.0,
        np.float64(2),
        True,
        np.True_,
        "2",
        None,
        math.nan,
        math.inf,
        Fraction(2),
        [2],
        np.array(2),
    ):
        with pytest.raises(ArgumentError, match="count: expected a whole number of at least 0"):
            check_whole(0, size=1, count=wrong)
    check_whole(size=1)
    with pytest.raises(ArgumentError, match=r"size: expected a whole number of at least 1, got 0\. Take more\."):
        check_whole(size=0, next_step="Take more.")


def test_what_is_no_number_is_in_no_range_of_numbers():
    for wrong in (math.nan, math.inf, -math.inf, True, False, "1", None, 1j, np.array([1.0, 2.0])):
        assert wrong not in number(-math.inf, math.inf), wrong
    assert np.float64(0.5) in number(0, 1) and -1e300 in number(-math.inf, 0) and 1e300 in number(0, math.inf)


def test_words_are_in_a_range_of_words_alone():
    allowed = one_of(iter(["cpu", "cuda"]))
    assert "cuda" in allowed and "cpu" in allowed and "cuda" in allowed and allowed == one_of(("cpu", "cuda"))
    assert "gpu" not in allowed and "" not in allowed and 1 not in allowed and "cp" not in allowed
    assert "anything" in TEXT and "" in TEXT and 3 not in TEXT and None not in TEXT
    both = whole(1, 8, "auto")
    assert "auto" in both and 8 in both and "8" in both and 9 not in both and "9" not in both and "all" not in both


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("1_000", 1000), ("1e3", 1000), ("1E3", 1000), ("2.5e1", 25), ("-3", -3), ("auto", "auto")]
)  # fmt: skip
def test_a_whole_number_is_read_as_people_write_it(text, value):
    found = whole(-5, 2000, "auto").read(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("text", ["1.5", "1.5e0", "1e-1", "inf", "nan", "1e999", "seven", "", "0x10"])
def test_what_spells_no_whole_number_is_refused(text):
    with pytest.raises(ValueError):
        whole(-5, 2000, "auto").read(text)
    assert text not in whole(-5, 2000, "auto")


def test_other_numbers_and_words_are_read_as_they_are():
    assert number(0, 1).read("0.25") == 0.25 and number(0, 1).read("1e-3") == 0.001
    assert type(number(0, 1).read("1")) is float and one_of(["1"]).read("1") == "1" and TEXT.read("1e3") == "1e3"


def test_a_range_says_in_words_what_it_takes():
    assert str(number(0, 1)) == "a number from 0 to 1" and str(number(0, 1, "[)")) == "a number in [0, 1)"
    assert str(number(0, 2, "(]")) == "a number in (0, 2]" and str(number(0.5, math.inf)) == "a number of at least 0.5"
    assert str(whole(1, 10**6)) == "a whole number from 1 to 1_000_000"
    assert str(whole(1, 8, "auto")) == "auto or a whole number from 1 to 8"
    assert str(one_of(["a", "b"])) == "a or b" and str(TEXT) == "text"


def test_a_setting_outside_is_refused_under_the_name_that_was_typed():
    check_range("lr", 0.5, number(0, 1))
    with pytest.raises(ConfigError, match="^lr: expected a number from 0 to 1, got 2"):
        check_range("lr", 2, number(0, 1))
    with pytest.raises(ConfigError, match="^--lr: .* got 'x'"):
        check_range("lr", "x", number(0, 1), "--lr")
