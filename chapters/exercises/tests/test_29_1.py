"""29.1: the vote."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_what_is_given_most_often(mine):
    call(mine.vote, ["4", "7", "7"]).gives("7")


def test_the_largest_answer_is_no_better(mine):
    call(mine.vote, ["3", "9", "3"]).gives("3")


def test_of_equals_the_one_that_came_first(mine):
    call(mine.vote, ["8", "2", "2", "8", "5"]).gives("8")


def test_of_equals_the_first_given_not_the_first_counted_up(mine):
    call(mine.vote, ["1", "2", "2", "1"]).gives("1")


def test_who_says_nothing_has_no_vote(mine):
    call(mine.vote, [None, None, "6", None]).gives("6")


def test_nobody_votes(mine):
    call(mine.vote, [None, None]).gives(None)


def test_no_answers(mine):
    call(mine.vote, []).gives(None)


def test_white_space_does_not_matter(mine):
    call(mine.vote, ["3", " 12", "12 ", "3", "12"]).gives("12")


def test_weights_count(mine):
    call(mine.vote, ["4", "7", "7"], [0.9, 0.3, 0.4]).gives("4")


def test_a_weight_of_0_takes_nothing_away(mine):
    call(mine.vote, ["7", "4", "7"], [0.9, 0.5, 0.0]).gives("7")


def test_weights_of_one_answer_add_up(mine):
    call(mine.vote, ["4", "7", "7"], [0.6, 0.3, 0.4]).gives("7")


def test_a_weight_stands_with_its_answer(mine):
    # the weight of one who says nothing is lost, and not the next one's
    call(mine.vote, [None, "4", "7"], [1.0, 5.0, 2.0]).gives("4")


def test_votes_that_count_nothing(mine):
    call(mine.vote, ["4", "7"], [0.0, 0.0]).gives(None)


def test_the_answers_are_left_as_they_were(mine):
    answers = ["3", None, " 12"]
    call(mine.vote, answers)
    call(list, answers).gives(["3", None, " 12"])


@given(st.lists(st.sampled_from(["1", "2", "3", None]), max_size=7))
def test_against_counting(mine, answers):
    counts = Counter(a for a in answers if a is not None)
    most = [a for a in answers if a is not None and counts[a] == max(counts.values())]
    call(mine.vote, answers).gives(most[0] if most else None)
