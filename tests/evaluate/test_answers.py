"""Exact match and F_1 of answers are those of SQuAD's scripts."""

from __future__ import annotations

import random

import pytest

from tinygrad_llm.errors import DataError
from tinygrad_llm.evaluate import answer_f1, exact_match
from tinygrad_llm.evaluate.answers import answer_words


def test_case_marks_articles_and_white_space_do_not_count():
    assert answer_words("  The U.S.A.,\nand a   mark-up of An ant's nest! ") == [
        "usa",
        "and",
        "markup",
        "of",
        "ants",
        "nest",
    ]
    assert exact_match("the Eiffel tower.", "Eiffel Tower") == 1.0
    assert exact_match("the Eiffel tower", "Eiffel  Towers") == 0.0
    assert exact_match("theory", "ory") == 0.0  # only whole words are articles
    assert exact_match("a-b", "ab") == 1.0 and exact_match("a b", "b") == 1.0


def test_words_count_as_often_as_both_have_them():
    found = answer_f1("blue blue red", "blue sky and blue sea")
    assert (found.precision, found.recall, found.f) == pytest.approx((2 / 3, 2 / 5, 1 / 2))
    assert answer_f1("sea blue", "blue sea").f == 1.0 and exact_match("sea blue", "blue sea") == 0.0
    assert answer_f1("red", "blue").f == 0.0


def test_of_several_answers_the_best_counts():
    assert exact_match("1912", ["April 1912", "1912", "in 1912"]) == 1.0
    assert exact_match("1912", ["April 1912", "in 1912"]) == 0.0
    found = answer_f1("april 1912", ["1913", "April 15 1912", "1912"])
    assert (found.precision, found.recall, found.f) == pytest.approx((1, 2 / 3, 4 / 5))


def test_nothing_answers_a_question_without_an_answer():
    for nothing in ("", "  ", "the", "!?"):
        assert exact_match(nothing, "") == answer_f1(nothing, "").f == 1.0
        assert answer_f1(nothing, "").precision == answer_f1(nothing, "").recall == 1.0
        assert exact_match(nothing, "42") == answer_f1(nothing, "42").f == 0.0
        assert exact_match("42", nothing) == answer_f1("42", nothing).f == 0.0


@pytest.mark.parametrize("metric", [exact_match, answer_f1])
@pytest.mark.parametrize(
    ("candidate", "answers", "words"),
    [(["a"], "a", "candidate: "), ("a", [], "answers: .*at least one"), ("a", ["a", None], r"answers\[1\]: "), ("a", 3, "answers: .*int")],
)  # fmt: skip
def test_what_is_no_text_is_refused_by_name(metric, candidate, answers, words):
    with pytest.raises(DataError, match=words):
        metric(candidate, answers)


def random_case(draw):
    pieces = ["the", "a", "an", "The", "blue", "Blue", "sea", "sea.", "ant", "b-c", "!", "", "ÄHM", "1,000"]
    text = lambda: draw.choice([" ", "  "]).join(draw.choices(pieces, k=draw.randint(0, 5)))
    return text(), [text() for _ in range(draw.randint(1, 3))]


@pytest.mark.oracle
def test_a_thousand_random_answers_have_torchmetrics_scores():
    from torchmetrics.functional.text import squad

    draw, seen = random.Random(0), []
    for _ in range(1000):
        candidate, answers = random_case(draw)
        exact, f = exact_match(candidate, answers), answer_f1(candidate, answers).f
        theirs = squad(
            {"prediction_text": candidate, "id": "0"},
            {"answers": {"answer_start": [0] * len(answers), "text": answers}, "id": "0"},
        )
        assert (100 * exact, 100 * f) == pytest.approx((theirs["exact_match"].item(), theirs["f1"].item()), rel=1e-6)
        seen.append((exact, f))
    assert 100 < sum(exact for exact, _ in seen) < 900 and len({f for _, f in seen}) > 8
