"""26.3: what a token counts for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

TWO = np.array([1, 3])


def test_own_length_by_hand(mine):
    wanted = np.array([[1 / 2, 0, 0, 0], [1 / 6, 1 / 6, 1 / 6, 0]])
    call(mine.token_weights, TWO, "own length", 4).gives(wanted)


def test_all_tokens_by_hand(mine):
    wanted = np.array([[1 / 4, 0, 0, 0], [1 / 4, 1 / 4, 1 / 4, 0]])
    call(mine.token_weights, TWO, "all tokens", 4).gives(wanted)


def test_constant_by_hand(mine):
    wanted = np.array([[1 / 8, 0, 0, 0], [1 / 8, 1 / 8, 1 / 8, 0]])
    call(mine.token_weights, TWO, "constant", 4).gives(wanted)


def test_the_longest_answer_fills_its_row(mine):
    call(mine.token_weights, np.array([2, 2]), "constant", 2).gives(np.full((2, 2), 1 / 4))


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_answers_count_alike_by_their_own_length_and_tokens_otherwise(mine, lengths):
    lengths = np.array(lengths)

    def weight_of_answers(lengths, kind, longest):
        return mine.token_weights(lengths, kind, longest).sum(axis=1)

    count = len(lengths)
    call(weight_of_answers, lengths, "own length", 4).gives(np.full(count, 1 / count))
    call(weight_of_answers, lengths, "all tokens", 4).gives(lengths / lengths.sum())
    call(weight_of_answers, lengths, "constant", 4).gives(lengths / (4 * count))
