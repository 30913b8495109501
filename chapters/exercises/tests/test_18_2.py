"""18.2: the window."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

T, F = True, False


def test_a_window_of_1_sees_itself_alone(mine):
    call(mine.visible, 3, 3, 1).gives(np.array([[T, F, F], [F, T, F], [F, F, T]]))


def test_a_window_of_2_sees_one_back(mine):
    call(mine.visible, 4, 4, 2).gives(np.array([[T, F, F, F], [T, T, F, F], [F, T, T, F], [F, F, T, T]]))


def test_a_window_that_no_text_fills_hides_the_future_alone(mine):
    call(mine.visible, 3, 3, 9).gives(np.array([[T, F, F], [T, T, F], [T, T, T]]))


def test_the_last_query_stands_beside_the_last_key(mine):
    call(mine.visible, 2, 4, 2).gives(np.array([[F, T, T, F], [F, F, T, T]]))
    call(mine.visible, 1, 5, 3).gives(np.array([[F, F, T, T, T]]))


def test_one_layer_reaches_what_its_window_shows(mine):
    # itself is one of the five
    call(mine.far_back, 1, 5).gives(4)


def test_each_layer_adds_as_much(mine):
    call(mine.far_back, 3, 5).gives(12)
    call(mine.far_back, 2, 2).gives(2)


def test_who_sees_itself_alone_hears_of_nobody(mine):
    call(mine.far_back, 7, 1).gives(0)


@given(st.integers(1, 5), st.integers(0, 4), st.integers(1, 6))
def test_key_by_key(mine, queries, more, window):
    keys = queries + more
    wanted = [[s in range(t + more - window + 1, t + more + 1) for s in range(keys)] for t in range(queries)]
    call(mine.visible, queries, keys, window).gives(np.array(wanted))


@given(st.integers(1, 4), st.integers(1, 4))
def test_as_handing_on_by_hand(mine, layers, window):
    heard = {20}  # whose words are in the state at position 20
    for _ in range(layers):
        heard |= {at - back for at in heard for back in range(window)}
    call(mine.far_back, layers, window).gives(20 - min(heard))
