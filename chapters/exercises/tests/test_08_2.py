"""08.2: back through time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

ONE = np.array([[1.0]])


def arguments(x, w_ih, w_hh, b=None):
    """All six: one bias and h_0 are 0."""
    zeros = np.zeros(len(w_hh))
    return x, w_ih, w_hh, zeros if b is None else b, zeros, np.zeros((len(x), len(w_hh)))


def back(mine, args, g, dx=None, dw_ih=None, dw_hh=None, db=None, dh0=None, **tolerance):
    call(mine.rnn, *args).gradient(g, dx, dw_ih, dw_hh, db, db, dh0, **tolerance)


def test_one_step_forward(mine):
    call(mine.rnn, np.array([[[2.0]]]), ONE, ONE).value(np.tanh([[[2.0]]]))


def test_the_state_is_carried_on(mine):
    x = np.array([[[1.0], [0.0], [0.0]]])
    first = np.tanh(1.0)
    call(mine.rnn, x, ONE, ONE).value(np.array([[[first], [np.tanh(first)], [np.tanh(np.tanh(first))]]]))


def test_biases_and_a_first_state(mine):
    args = np.zeros((1, 1, 1)), ONE, ONE, np.array([0.5]), np.array([0.25]), np.array([[1.0]])
    call(mine.rnn, *args).value(np.tanh([[[1.75]]]))


def test_one_step_back(mine):
    slope = 1 - np.tanh(2.0) ** 2
    g = np.array([[[3.0]]])
    args = arguments(np.array([[[2.0]]]), ONE, ONE)
    back(mine, args, g, np.array([[[3 * slope]]]), np.array([[6 * slope]]), dh0=np.array([[3 * slope]]))


def test_the_loss_at_the_end_reaches_the_start(mine):
    # all states are 0, where tanh has slope 1: what arrives at step t is W_hh transposed, once for every step between
    w = np.array([[0.0, 2.0], [0.0, 0.0]])
    g = np.zeros((1, 2, 2))
    g[0, 1] = [1.0, 10.0]
    expected = np.array([[[0.0, 2.0], [1.0, 10.0]]])
    back(mine, arguments(np.zeros((1, 2, 2)), np.eye(2), w), g, expected)


def test_a_state_that_is_used_twice_hears_from_both(mine):
    g = np.array([[[5.0], [1.0]]])
    back(mine, arguments(np.zeros((1, 2, 1)), ONE, 2 * ONE), g, np.array([[[7.0], [1.0]]]))


def test_against_pytorch(mine):
    # torch 2.13.0, RNN(2, 2) in float64: all numbers are cosines of 1, 2, 3, ..., those of W_hh doubled; so is g
    w, x = np.cos(np.arange(1.0, 5)).reshape(2, 2), np.cos(np.arange(1.0, 7)).reshape(1, 3, 2)
    args = arguments(x, w, 2 * w, np.cos([1.0, 2.0]))
    states = [[0.763855655, -0.590888653], [0.920857372, 0.246071483], [0.794778239, -0.998063591]]
    call(mine.rnn, *args).value(np.array([states]), rtol=1e-7)
    back(
        mine,
        args,
        x,
        np.array([[[0.007085319, -0.568873016], [0.620665503, 0.513712896], [0.052773322, -0.045907533]]]),
        np.array([[0.563701695, -0.120615273], [0.909325586, 0.295762337]]),
        np.array([[-0.006492455, 0.105157608], [-0.531522660, 0.414725458]]),
        np.array([0.712119629, -0.298754049]),
        rtol=1e-6,
    )


@given(st.integers(1, 2), st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.integers(0, 99))
def test_gradients_follow_differences(mine, batch, time, inputs, size, seed):
    rng = np.random.default_rng(seed)
    shapes = ((batch, time, inputs), (size, inputs), (size, size), (size,), (size,), (batch, size))
    call(mine.rnn, *(rng.integers(-2, 3, s) / 2 for s in shapes)).follows_differences()
