"""02.1: un-broadcasting."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from tinygrad_llm.course.exercises.calls import call

G = np.arange(6.0).reshape(2, 3)


def test_what_was_not_repeated_stays(mine):
    call(mine.unbroadcast, G, (2, 3)).gives(G)


def test_a_row_was_repeated_downwards(mine):
    call(mine.unbroadcast, G, (1, 3)).gives(np.array([[3.0, 5.0, 7.0]]))


def test_a_column_was_repeated_to_the_right(mine):
    call(mine.unbroadcast, G, (2, 1)).gives(np.array([[3.0], [12.0]]))


def test_an_axis_that_was_not_there(mine):
    call(mine.unbroadcast, G, (3,)).gives(np.array([3.0, 5.0, 7.0]))


def test_a_single_number(mine):
    call(mine.unbroadcast, G, ()).gives(np.array(15.0))


def test_both_at_once(mine):
    call(mine.unbroadcast, np.ones((4, 2, 3)), (2, 1)).gives(np.array([[12.0], [12.0]]))


@given(mutually_broadcastable_shapes(num_shapes=1, base_shape=(2, 3, 2), max_dims=3), st.integers(0, 9))
def test_it_undoes_what_numpy_does(mine, shapes, seed):
    # <g, broadcast(x)> = <unbroadcast(g), x> for every x: that is what makes it the way back
    shape, rng = shapes.input_shapes[0], np.random.default_rng(seed)
    x = rng.integers(-3, 4, shape).astype(float)
    g = rng.integers(-3, 4, np.broadcast_shapes(shape, (2, 3, 2))).astype(float)
    made = call(mine.unbroadcast, g, shape)
    made.then(".shape", np.shape).gives(shape)
    made.then(f" weighed with {x.tolist()}", lambda d: float((d * x).sum())).gives(float((g * x).sum()))
