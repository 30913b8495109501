"""30.4: Bradley and Terry, in circles."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

TWO = np.array([[0.0, 3.0], [1.0, 0.0]])
GAMES = np.array([[0.0, 7, 9, 7, 7], [6, 0, 7, 5, 11], [4, 6, 0, 7, 7], [6, 8, 6, 0, 6], [6, 2, 6, 7, 0]])
# SciPy 1.17.1: minimize of -sum of wins ln(share), mean 0
GOLDEN = np.array(
    [0.2501693179255699, 0.18725798795552023, -0.12436012851891572, 0.00017269938705858381, -0.3132398767492329]
)


def test_three_wins_of_four_are_odds_of_three_to_one(mine):
    call(mine.strengths, TWO, 50).gives(np.array([1, -1]) * math.log(3) / 2)


def test_no_round_leaves_them_equal(mine):
    call(mine.strengths, TWO, 0).gives(np.zeros(2))


def test_one_round_counted_by_hand(mine):
    # from ones: 3 wins / (4 games / 2) = 3/2 and 1/2, divided by sqrt(3/4)
    call(mine.strengths, TWO, 1).gives(np.array([math.log(3), -math.log(3)]) / 2)
    # three players, one of whom met the first alone: 3 / (4/2 + 2/2), 1 / (4/2), 2 / (2/2) = 4/3 · 3/4 …
    wins = np.array([[0.0, 3, 1], [1, 0, 0], [1, 0, 0]])
    raw = np.log([4 / 3, 1 / 2, 1.0])
    call(mine.strengths, wins, 1).gives(raw - raw.mean())


def test_the_second_round_begins_where_the_first_ended(mine):
    wins = np.array([[0.0, 3, 1], [1, 0, 0], [1, 0, 0]])
    w = np.array([4 / 3, 1 / 2, 1.0])
    w = w / np.prod(w) ** (1 / 3)
    new = np.array([4 / (4 / (w[0] + w[1]) + 2 / (w[0] + w[2])), 1 / (4 / (w[0] + w[1])), 1 / (2 / (w[0] + w[2]))])
    call(mine.strengths, wins, 2).gives(np.log(new) - np.log(new).mean())


def test_at_the_end_they_are_those_of_greatest_likelihood(mine):
    call(mine.strengths, GAMES, 300).gives(GOLDEN)


@given(st.integers(0, 999), st.integers(2, 4), st.integers(1, 3))
def test_player_by_player(mine, seed, players, rounds):
    wins = np.random.default_rng(seed).integers(1, 5, (players, players)).astype(float)
    np.fill_diagonal(wins, 0)
    power = [1.0] * players
    for _ in range(rounds):
        new = []
        for i in range(players):
            met = [(wins[i, j] + wins[j, i]) / (power[i] + power[j]) for j in range(players) if j != i]
            new.append(sum(wins[i]) / sum(met))
        middle = math.prod(new) ** (1 / players)
        power = [w / middle for w in new]
    call(mine.strengths, wins, rounds).gives(np.log(power))
