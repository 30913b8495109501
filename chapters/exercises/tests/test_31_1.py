"""31.1: both orders."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


class Judge:
    """Answers are what they are worth, in tenths; the judge adds something for standing first."""

    def __init__(self, bias):
        self.bias = bias

    def __call__(self, question, first, second):
        return min(1.0, max(0.0, (5 + first - second + self.bias) / 10))

    def __repr__(self):
        return f"adds_{self.bias}_tenths_to_what_stands_first"


FAIR, LIKES_THE_FIRST, LIKES_THE_LAST = Judge(0), Judge(2), Judge(-2)


def test_a_clear_game_is_won_or_lost(mine):
    call(mine.win_rate, FAIR, [("q", 4, 1)]).gives(1.0)
    call(mine.win_rate, FAIR, [("q", 1, 4)]).gives(0.0)


def test_where_the_place_decides_it_is_a_tie(mine):
    call(mine.win_rate, LIKES_THE_FIRST, [("q", 3, 2)]).gives(0.5)
    call(mine.win_rate, LIKES_THE_LAST, [("q", 3, 2)]).gives(0.5)
    call(mine.win_rate, LIKES_THE_FIRST, [("q", 2, 3)]).gives(0.5)


def test_what_is_better_by_more_than_the_place_is_worth_wins_in_both(mine):
    call(mine.win_rate, LIKES_THE_FIRST, [("q", 5, 2), ("q", 2, 5)]).gives(0.5)
    call(mine.win_rate, LIKES_THE_LAST, [("q", 5, 2)]).gives(1.0)


def test_a_half_is_no_verdict(mine):
    call(mine.win_rate, FAIR, [("q", 3, 3)]).gives(0.5)
    call(mine.win_rate, LIKES_THE_FIRST, [("q", 4, 2)]).gives(0.5)
    call(mine.win_rate, LIKES_THE_FIRST, [("q", 2, 4)]).gives(0.5)


def test_four_games_counted_by_hand(mine):
    # won, tie, lost, won
    call(mine.win_rate, LIKES_THE_FIRST, [("a", 5, 1), ("b", 3, 2), ("c", 0, 4), ("d", 4, 1)]).gives(2.5 / 4)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=5), st.integers(-3, 3))
def test_game_by_game(mine, worth, bias):
    games = [("q", a, b) for a, b in worth]
    won = [1 if a - b > abs(bias) else 0 if b - a > abs(bias) else 0.5 for a, b in worth]
    call(mine.win_rate, Judge(bias), games).gives(sum(won) / len(won))


def test_who_changes_sides_has_the_rest(mine):
    for bias, (a, b) in itertools.product((-1, 2), itertools.product(range(3), repeat=2)):
        won = 1.0 if a - b > abs(bias) else 0.0 if b - a > abs(bias) else 0.5
        call(mine.win_rate, Judge(bias), [("q", b, a)]).gives(1 - won)
