"""21.2: who may see whom in a packed row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_two_texts_of_one_word(mine):
    call(mine.text_mask, np.array([[0, 1]])).gives(np.array([[[[True, False], [False, True]]]]))


def test_a_text_sees_itself_before_and_behind(mine):
    wanted = np.array([[True, True, False], [True, True, False], [False, False, True]])
    call(mine.text_mask, np.array([[4, 4, 2]])).gives(wanted[None, None])


def test_a_text_in_two_pieces_is_one(mine):
    wanted = np.array([[True, False, True], [False, True, False], [True, False, True]])
    call(mine.text_mask, np.array([[0, 7, 0]])).gives(wanted[None, None])


def test_rows_do_not_mix(mine):
    texts = np.array([[0, 0], [0, 1], [1, 1]])
    wanted = np.array([[[True, True], [True, True]], [[True, False], [False, True]], [[True, True], [True, True]]])
    call(mine.text_mask, texts).gives(wanted[:, None])


@given(st.lists(st.lists(st.integers(-1, 3), min_size=3, max_size=3), min_size=1, max_size=3))
def test_by_loops(mine, texts):
    texts = np.array(texts)
    wanted = [[[[bool(a == b) for b in row] for a in row]] for row in texts]
    call(mine.text_mask, texts).gives(np.array(wanted))
