"""08.1: one step of an LSTM."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

OPEN, SHUT = 50.0, -50.0
X, H, C = np.array([[1.0, -1.0]]), np.array([[0.0, 0.0]]), np.array([[0.25, -0.5]])
NOTHING = np.zeros((8, 2))


def gates(i, f, g, o):
    """Biases that set all four, whatever comes in."""
    return np.repeat([i, f, g, o], 2).astype(float)


def stepped(mine, part):
    return lambda *args: mine.lstm_step(*args)[part]


def test_with_f_open_and_i_shut_the_cell_stays(mine):
    call(stepped(mine, 1), X, H, C, NOTHING, NOTHING, gates(SHUT, OPEN, 3, 0)).gives(C)


def test_with_f_shut_and_i_open_it_is_the_news(mine):
    call(stepped(mine, 1), X, H, C, NOTHING, NOTHING, gates(OPEN, SHUT, OPEN, 0)).gives(np.ones((1, 2)))


def test_with_both_open_the_news_is_added(mine):
    call(stepped(mine, 1), X, H, C, NOTHING, NOTHING, gates(OPEN, OPEN, -OPEN, 0)).gives(C - 1)


def test_news_may_be_negative(mine):
    call(stepped(mine, 1), X, H, C, NOTHING, NOTHING, gates(OPEN, SHUT, -OPEN, 0)).gives(-np.ones((1, 2)))


def test_with_o_shut_nothing_is_shown(mine):
    call(stepped(mine, 0), X, H, C, NOTHING, NOTHING, gates(OPEN, OPEN, 1, SHUT)).gives(np.zeros((1, 2)))


def test_what_is_shown_is_the_new_cell_bent(mine):
    call(stepped(mine, 0), X, H, C, NOTHING, NOTHING, gates(OPEN, OPEN, OPEN, OPEN)).gives(np.tanh(C + 1))


def test_against_pytorch(mine):
    # torch 2.13.0, LSTMCell(2, 2) in float64; all numbers are cosines of 1, 2, 3, ..., those of W_hh doubled
    w = np.cos(np.arange(1.0, 17)).reshape(8, 2)
    h, c = np.array([[0.5, -0.5]]), np.array([[1.0, 2.0]])
    args = (np.array([[1.0, -2.0]]), h, c, w, 2 * w, np.cos(np.arange(1.0, 9)))
    call(stepped(mine, 0), *args).gives(np.array([[0.568067123, 0.643912118]]), rtol=1e-8)
    call(stepped(mine, 1), *args).gives(np.array([[0.747528797, 1.208701754]]), rtol=1e-8)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_every_sequence_of_a_batch_is_by_itself(mine, batch, inputs, size, seed):
    rng = np.random.default_rng(seed)
    x, h, c = (rng.integers(-3, 4, (batch, n)) * 1.0 for n in (inputs, size, size))
    w_ih, w_hh, b = (rng.integers(-2, 3, (4 * size, *n)) * 0.5 for n in ((inputs,), (size,), ()))
    alone = [mine.lstm_step(x[i : i + 1], h[i : i + 1], c[i : i + 1], w_ih, w_hh, b) for i in range(batch)]
    for part in (0, 1):
        call(stepped(mine, part), x, h, c, w_ih, w_hh, b).gives(np.concatenate([one[part] for one in alone]))
