"""19.1: which experts, and how much of each."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.course.exercises.show import Spelled

LOGS = Spelled("np.log([[4.0, 1.0, 2.0, 1.0], [1.0, 1.0, 2.0, 6.0]])")


def which(mine, scores, chosen):
    return call(mine.route, scores, chosen).then("[0]", lambda pair: np.asarray(pair[0]))


def weights(mine, scores, chosen):
    return call(mine.route, scores, chosen).then("[1]", lambda pair: pair[1])


def test_the_highest_score_is_chosen(mine):
    which(mine, np.array([[0.0, 3.0, 1.0], [2.0, -1.0, 5.0]]), 1).gives(np.array([[1], [2]]))


def test_two_are_chosen_and_the_higher_score_comes_first(mine):
    which(mine, np.array([[0.0, 3.0, 1.0], [2.0, 1.0, 5.0]]), 2).gives(np.array([[1, 2], [2, 0]]))


def test_one_alone_has_all_the_weight(mine):
    weights(mine, np.array([[0.0, 3.0, 1.0], [2.0, -1.0, 0.0]]), 1).gives(np.array([[1.0], [1.0]]))


def test_weights_of_the_chosen_add_up_to_1(mine):
    # shares are 4/8 and 2/8 of all, so 2/3 and 1/3 of the two
    weights(mine, LOGS, 2).gives(np.array([[2 / 3, 1 / 3], [3 / 4, 1 / 4]]))


def test_with_all_chosen_the_weights_are_the_shares(mine):
    weights(mine, LOGS, 4).gives(np.array([[0.5, 0.25, 0.125, 0.125], [0.6, 0.2, 0.1, 0.1]]))


def test_big_scores_do_not_overflow(mine):
    weights(mine, np.array([[1000.0, 1000.0, 0.0]]), 2).gives(np.array([[0.5, 0.5]]))


def test_scores_are_told_apart_where_shares_are_not(mine):
    which(mine, np.array([[0.0, 1.0, 1000.0]]), 2).gives(np.array([[2, 1]]))


def test_far_above_the_mean_and_the_first_nothing_overflows(mine):
    weights(mine, np.array([[0.0, 3000.0, 3000.0, 0.0, 0.0]]), 2).gives(np.array([[0.5, 0.5]]))


def test_each_token_has_its_own_largest_score(mine):
    weights(mine, np.array([[0.0, 0.0], [5000.0, 5000.0]]), 2).gives(np.array([[0.5, 0.5], [0.5, 0.5]]))


def test_a_number_added_to_all_scores_changes_nothing(mine):
    expected = np.array([[1 / (1 + np.exp(-1)), 1 / (1 + np.e)]])
    weights(mine, np.array([[-1001.0, -1000.0, -3000.0]]), 2).gives(expected)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 99), st.data())
def test_token_by_token(mine, tokens, experts, seed, data):
    chosen = data.draw(st.integers(1, experts))
    scores = np.random.default_rng(seed).permuted(np.tile(np.arange(experts) * 0.5, (tokens, 1)), axis=1)
    who = [sorted(range(experts), key=lambda e, row=row: -row[e])[:chosen] for row in scores]
    each = [np.exp([row[e] for e in own]) for row, own in zip(scores, who)]
    which(mine, scores, chosen).gives(np.array(who))
    weights(mine, scores, chosen).gives(np.array([e / e.sum() for e in each]))
