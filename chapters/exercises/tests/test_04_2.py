"""04.2: GELU in three arrays. Its golden: PyTorch's gelu(approximate="tanh")."""

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinygrad_llm.course.exercises.calls import call

X = np.array([[-3.0, -1.0, 0.0], [0.5, 1.0, 3.0]])
G = np.array([[1.0, 2.0, -1.0], [1.0, 0.5, 4.0]])
# torch 2.13.0, float64
VALUE = np.array([[-0.00363739208177, -0.158808009392, 0], [0.345714009825, 0.841191990608, 2.99636260792]])
GRADIENT = np.array([[-0.011584166631, -0.165928167692, -0.5], [0.867369903535, 0.541482041923, 4.04633666652]])
LARGE = np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32)


def arrays_at_once(gelu, held_after):
    """How many arrays of x's size: the most at once, or those still held after the return."""

    def measured(x):
        gelu(x, approximate="tanh")  # what is made only once is not counted
        tracemalloc.start()
        kept = gelu(x, approximate="tanh")
        held, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept
        return (held if held_after else most) / x.nbytes

    measured.__name__ = "arrays_held_after_gelu" if held_after else "arrays_at_once_in_gelu"
    return measured


def test_the_value(mine):
    call(mine.gelu, X, approximate="tanh").value(VALUE, rtol=1e-9)


def test_the_gradient(mine):
    call(mine.gelu, X, approximate="tanh").gradient(G, GRADIENT, rtol=1e-9)


def test_float32_stays_float32(mine):
    x, g = X.astype(np.float32), G.astype(np.float32)
    call(mine.gelu, x, approximate="tanh").value(VALUE.astype(np.float32), rtol=1e-5, atol=1e-6)
    call(mine.gelu, x, approximate="tanh").gradient(g, GRADIENT.astype(np.float32), rtol=1e-5, atol=1e-5)


def test_the_way_back_can_be_gone_twice(mine):
    def twice(x):
        _, vjp = mine.gelu(x, approximate="tanh")
        vjp(G, (True,))
        return vjp(G, (True,))

    call(twice, X).gives(GRADIENT, rtol=1e-9)


def test_at_most_three_new_arrays_at_once(mine):
    made = call(arrays_at_once(mine.gelu, held_after=False), LARGE)
    made.then(" < 3.2", lambda count: bool(count < 3.2)).gives(True)


def test_two_are_left(mine):
    made = call(arrays_at_once(mine.gelu, held_after=True), LARGE)
    made.then(" < 2.2", lambda count: bool(count < 2.2)).gives(True)


@given(arrays(np.float64, array_shapes(min_dims=1, max_dims=2, max_side=3), elements=st.integers(-3, 3).map(float)))
def test_gradients_follow_differences(mine, x):
    call(mine.gelu, x, approximate="tanh").follows_differences()
