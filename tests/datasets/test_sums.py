"""Claims about the sums: totals by hand, habits as they are described, a verifier that is not fooled, honest splits."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tinygrad_llm.datasets.sums import (
    BLANK,
    EQUALS,
    HABITS,
    MUSING,
    SLOTS,
    STOP,
    WORDS,
    ZERO,
    Sum,
    as_text,
    generate_sums,
    has_form,
    is_right,
    said,
    steps_right,
    thought,
    worked,
)
from tinygrad_llm.errors import ArgumentError

FOUR = Sum((7, 3, 9, 5))
TRAIN, TEST = (generate_sums(np.random.default_rng(0), 3000, 1, 8, split) for split in ("train", "test"))


def ids(text):
    return [WORDS.index(word) for word in text.split()]


def test_a_question_and_its_totals_by_hand():
    assert as_text(FOUR.prompt) == "# 7 3 9 5 _ _ _ _ _ _ _ _ ?"
    assert FOUR.totals == (7, 0, 9, 4) and FOUR.answer == 4


@pytest.mark.parametrize(
    ("habit", "text"),
    [
        ("careful", "7 0 9 4 = 4 ."),
        ("hasty", "7 0 = 0 ."),
        ("guess", "= 0 ."),
        ("at once", "= 4 ."),
        ("padded", "~ ~ ~ ~ = 4 ."),
    ],
)
def test_each_habit_by_hand(habit, text):
    assert as_text(worked(FOUR, habit)) == text
    assert as_text(worked(FOUR, habit, 2)) == text.replace("=", "~ ~ =")


def test_who_is_hasty_with_one_or_two_numbers_is_careful():
    for digits in ((4,), (4, 9)):
        assert worked(Sum(digits), "hasty") == worked(Sum(digits))


def test_total_and_number_always_stand_equally_far_apart():
    for sum_ in TRAIN[:200]:
        text = sum_.prompt + worked(sum_)
        for place, (digit, total) in enumerate(zip(sum_.digits, sum_.totals), 1):
            assert text[place] == ZERO + digit and text[place + SLOTS + 1] == ZERO + total
        assert text[len(sum_.digits) + 1] == BLANK and len(sum_.prompt) == SLOTS + 2


def test_the_answer_is_the_digit_behind_the_first_equals_sign():
    assert said(ids("7 0 = 4 .")) == 4 and said(ids("= 2 = 4 .")) == 2
    for text in ("7 0 9", "7 0 =", "= = 4", "= . 4", "= ~ 4", ""):
        assert said(ids(text)) is None
    assert thought(ids("7 0 = 4 = .")) == ids("7 0") and thought(ids("7 0")) == ids("7 0")


def test_the_verifier_looks_at_the_answer_alone_and_the_strict_one_at_the_steps_too():
    cases = {
        "7 0 9 4 = 4 .": (True, True),
        "7 0 9 4 = 4": (True, True),
        "7 1 9 4 = 4 .": (True, False),
        "= 4 .": (True, False),
        "7 0 9 4 4 = 4 .": (True, False),
        "7 0 9 4 = 5 .": (False, False),
        "7 0 9 4 .": (False, False),
    }
    for text, (right, strict) in cases.items():
        assert (is_right(FOUR, ids(text)), steps_right(FOUR, ids(text))) == (right, strict), text


def test_form_is_totals_and_a_digit_whatever_they_say():
    for text, form in {"1 = 2 .": True, "= 2 .": False, "~ = 2": False, "1 ~ = 2": False, "1 1": False}.items():
        assert has_form(ids(text)) is form, text
    assert {habit: has_form(worked(FOUR, habit)) for habit in HABITS if habit in ("careful", "hasty", "guess")} == {
        "careful": True,
        "hasty": True,
        "guess": False,
    }


def test_no_three_digits_or_more_are_in_both_splits_in_any_order():
    sets = [{tuple(sorted(s.digits)) for s in part if len(s.digits) > 2} for part in (TRAIN, TEST)]
    assert sets[0] and sets[1] and not sets[0] & sets[1]
    short = [{s.digits for s in part if len(s.digits) <= 2} for part in (TRAIN, TEST)]
    assert short[0] & short[1]


def test_lengths_and_digits_are_drawn_alike():
    lengths = Counter(len(s.digits) for s in TRAIN)
    assert set(lengths) == set(range(1, 9)) and min(lengths.values()) > 0.75 * 3000 / 8
    digits = Counter(d for s in TRAIN for d in s.digits)
    assert set(digits) == set(range(10)) and min(digits.values()) > 0.9 * sum(digits.values()) / 10
    answers = Counter(s.answer for s in TEST if len(s.digits) > 3)
    assert min(answers.values()) > 0.07 * sum(answers.values())  # no answer is a good guess


def test_a_seed_gives_the_same_sums_and_another_one_others():
    again, other = (generate_sums(np.random.default_rng(seed), 30, 3, 8) for seed in (1, 2))
    assert again == generate_sums(np.random.default_rng(1), 30, 3, 8) and other != again and len(other) == 30
    assert all(3 <= len(s.digits) <= 8 for s in other)


def test_what_cannot_be_asked_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ArgumentError, match="split: expected train or test, got 'val'"):
        generate_sums(rng, 1, 1, 2, "val")
    for least, most in ((3, 2), (1, SLOTS), (0, 2)):
        with pytest.raises(ArgumentError):
            generate_sums(rng, 1, least, most)
    with pytest.raises(ArgumentError, match="habit"):
        worked(FOUR, "lazy")
    assert (EQUALS, STOP, MUSING) == tuple(map(WORDS.index, "=.~"))
