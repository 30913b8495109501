"""Claims about tastes: marks by hand, people as often wrong as they say, and no rule of words alone that reaches them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm.align.data import PAIRS
from tinygrad_llm.datasets.chat import is_held_out, make_request
from tinygrad_llm.datasets.tastes import (
    CONTENTS,
    GRADES,
    NAMES,
    TASKS,
    WORDS,
    Asked,
    Marks,
    People,
    Preference,
    Taste,
    generate_asked,
    grade,
    marks,
    sentences,
    write_answer,
)
from tinygrad_llm.errors import ArgumentError

BUN = Asked("ann", make_request("choose", "plain", ("cup", "red", "bun"), "food"))
COUNT = 3000


def written(seed, count=COUNT, split="train"):
    rng = np.random.default_rng(seed)
    asked = generate_asked(rng, count, split)
    return asked, [write_answer(rng, one) for one in asked]


def test_a_question_says_who_asks_and_for_what():
    assert BUN.text == "ann : say the food of : cup red bun ."


@pytest.mark.parametrize(
    ("answer", "expected", "points"),
    [
        ("bun , ann . welcome !", Marks(1, 1, 1, 0, 0, 0, 6), 4),
        ("ann , the answer is bun .", Marks(1, 1, 0, 0, 0, 0, 7), 3),
        ("bun .", Marks(1, 0, 0, 0, 0, 0, 2), 2),
        ("bun or cup .", Marks(0, 0, 0, 0, 0, 0, 4), 0),  # who says everything is not right
        ("cup , ann .", Marks(0, 1, 0, 0, 0, 0, 4), 1),
        ("ben , it is bun .", Marks(1, 0, 0, 0, 0, 0, 6), 2),  # another one is meant
        ("ben , it is bun , ann .", Marks(1, 0, 0, 0, 0, 0, 8), 2),  # whoever is meant
        ("welcome ! bun .", Marks(1, 0, 0, 0, 0, 0, 4), 2),  # not at the end
        ("bun . welcome ! welcome !", Marks(1, 0, 1, 1, 0, 0, 6), 2.5),
        ("bun . bun . bun .", Marks(1, 0, 0, 2, 0, 0, 6), 1),
        ("well , well , well , ann , the answer is bun . welcome !", Marks(1, 1, 1, 0, 3, 0, 15), 3.25),
        ("bun bun , ann", Marks(1, 1, 0, 1, 0, 1, 4), 2),  # and no full stop
        ("welcome , bun ! ann !", Marks(1, 1, 0, 0, 0, 2, 6), 2),
        ("", Marks(0, 0, 0, 0, 0, 0, 0), 0),
    ],
)
def test_marks_and_points_by_hand(answer, expected, points):
    assert marks(BUN, answer) == expected
    assert Taste()(BUN, answer) == points


def test_a_taste_is_the_sum_of_its_marks():
    taste = Taste(*(2.0**i for i in range(7)))
    asked, answers = written(0, 200)
    for one, answer, points in zip(asked, answers, taste.of(asked, answers)):
        assert points == sum(2.0**i * count for i, count in enumerate(marks(one, answer)))


def test_a_grade_says_three_of_the_marks():
    assert grade(BUN, "bun , ann . bun , ann . welcome !") == "+++" == GRADES[0]
    assert grade(BUN, "bun .") == "+--" and grade(BUN, "cup , ann .") == "-+-" and grade(BUN, "welcome !") == "--+"
    assert len({*GRADES}) == 8 and {grade(one, answer) for one, answer in zip(*written(11, 400))} == {*GRADES}


def test_an_answer_is_cut_into_sentences():
    assert sentences("bun . welcome ! well ,") == ["bun .", "welcome !", "well ,"]
    assert sentences("") == []


def test_whatever_is_written_is_made_of_known_words_and_of_sentences():
    asked, answers = written(1)
    assert {word for one, answer in zip(asked, answers) for word in f"{one.text} {answer}".split()} <= {*WORDS}
    assert len({*WORDS}) == len(WORDS) and not {*NAMES} & CONTENTS
    assert all(marks(one, answer).garbled == 0 for one, answer in zip(asked, answers))
    assert 18 < max(len(answer.split()) for answer in answers) < 24
    assert all({one.request.task} <= {*TASKS} for one in asked)


def test_the_writers_are_as_careless_as_is_said():
    found = [marks(one, answer) for one, answer in zip(*written(2))]

    def share(name):
        return np.mean([getattr(m, name) > 0 for m in found])

    for name, expected in (("right", 0.6), ("named", 0.45), ("kind", 0.4)):
        assert abs(share(name) - expected) < 4 * 0.5 / math.sqrt(COUNT), name
    both = np.mean([" or " in answer for answer in written(2)[1]])
    assert abs(both - 0.15) < 4 * 0.36 / math.sqrt(COUNT)
    many = 4 * COUNT
    named_other = np.mean([bool({*answer.split()} & {*NAMES} - {one.name}) for one, answer in zip(*written(2, many))])
    assert abs(named_other - 0.1) < 4 * 0.3 / math.sqrt(many)


@pytest.mark.parametrize("split", ["train", "test"])
def test_what_is_held_out_is_asked_in_the_test_alone(split):
    asked = generate_asked(np.random.default_rng(3), 300, split, tasks=("choose",))
    lists = [one.text.split(" : ")[2].split()[:-1] for one in asked]
    assert {is_held_out(given[0], given[-1]) for given in lists} == {split == "test"}


def test_everything_follows_its_seed():
    assert written(4, 50) == written(4, 50) != written(5, 50)


def test_people_prefer_by_the_model_of_bradley_and_terry_and_slip():
    people = People(temperature=0.5, slips=0.2)
    better, worse = "bun , ann . welcome !", "bun , ann ."  # by a point, that is two temperatures
    (p,) = people.probabilities([BUN], [better], [worse])
    assert p == pytest.approx(0.8 / (1 + math.exp(-2)) + 0.1, abs=1e-12)
    (other,) = people.probabilities([BUN], [worse], [better])
    assert p + other == pytest.approx(1, abs=1e-12)
    labels = people.prefer(np.random.default_rng(0), [BUN] * COUNT, [better] * COUNT, [worse] * COUNT)
    assert abs(np.mean([label.chosen == better for label in labels]) - p) < 4 * 0.5 / math.sqrt(COUNT)


def test_far_apart_only_slips_are_left():
    people = People(temperature=0.01, slips=0.1)
    assert people.probabilities([BUN] * 2, ["bun .", ""], ["", "bun ."]) == pytest.approx([0.95, 0.05], abs=1e-12)
    assert People(slips=1.0).probabilities([BUN], ["bun ."], [""]) == pytest.approx([0.5], abs=1e-12)


def test_equal_answers_are_left_out_and_change_no_other_label():
    people, rng = People(), np.random.default_rng
    labels = people.prefer(rng(6), [BUN] * 40, ["bun ."] * 40, ["bun , ann ."] * 40)
    fewer = people.prefer(rng(6), [BUN] * 40, ["bun ."] * 40, ["bun ."] + ["bun , ann ."] * 39)
    assert len(labels) == 40 and fewer == labels[1:]


def test_the_ceiling_is_what_the_one_who_knows_the_taste_gets_right():
    people, rng = People(), np.random.default_rng(7)
    (asked, one), (_, other) = written(8), (None, [write_answer(rng, q) for q in written(8)[0]])
    labels = people.prefer(rng, asked, one, other)
    better = np.array([people.taste(q, a) - people.taste(q, b) for q, a, b in labels])
    right = (better > 0).mean() + 0.5 * (better == 0).mean()
    assert abs(right - people.ceiling(labels)) < 4 * 0.4 / math.sqrt(len(labels))
    assert 0.75 < people.ceiling(labels) < 0.9


def test_no_rule_of_length_reaches_the_taste():
    rng = np.random.default_rng(9)
    asked, one = written(10)
    other = [write_answer(rng, q) for q in asked]
    labels = People().prefer(rng, asked, one, other)
    lengths = np.array([[len(text.split()) for text in (label.chosen, label.rejected)] for label in labels])
    for nearest in range(2, 15):  # prefer what is nearest to a length; the longest, and the shortest, are among these
        distance = -np.abs(lengths - nearest)
        right = np.mean(np.sign(distance[:, 0] - distance[:, 1]) / 2 + 0.5)
        assert right < 0.62, nearest


def test_a_preference_is_a_line_that_alignment_reads():
    line = Preference(BUN, "bun .", "cup .").line
    assert line == {"prompt": BUN.text, "chosen": "bun .", "rejected": "cup ."}
    assert {*line} == {key for form in PAIRS.values() for key in form.keys}


def test_what_cannot_be_is_refused():
    for wrong in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ArgumentError, match="temperature"):
            People(temperature=wrong)
    for wrong in (-0.1, 1.1, math.nan):
        with pytest.raises(ArgumentError, match="slips"):
            People(slips=wrong)
    with pytest.raises(ArgumentError, match="answers"):
        Taste().of([BUN], [])
    with pytest.raises(ArgumentError, match="tasks"):
        generate_asked(np.random.default_rng(0), 3, tasks=("poems",))
