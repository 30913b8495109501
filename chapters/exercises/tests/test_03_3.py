"""03.3: clipping."""

import numpy as np

from tinygrad_llm.course.exercises.calls import call

A, B = np.array([[3.0, 0.0]]), np.array([4.0])  # together 5 long


def test_a_short_gradient_stays(mine):
    call(mine.clip, [A, B], 10.0).gives(([A, B], 5.0))


def test_a_long_one_keeps_its_direction(mine):
    call(mine.clip, [A, B], 1.0).gives(([A / 5, B / 5], 5.0), rtol=1e-6)


def test_the_norm_is_that_of_all_arrays_together(mine):
    call(mine.clip, [A, B], 1.0).then("[1]", lambda result: result[1]).gives(5.0)


def test_a_millionth_is_added_as_pytorch_does(mine):
    # three times as long as allowed: 1 / (3 + 1) of it is left, and not 1 / 3
    made = call(mine.clip, [np.array([3e-6])], 1e-6)
    made.then("[0][0]", lambda result: result[0][0]).gives(np.array([0.75e-6]), atol=1e-12)


def test_signs_do_not_cancel(mine):
    call(mine.clip, [np.array([1.0, -1.0])], 100.0).then("[1]", lambda result: result[1]).gives(2**0.5)


def test_zero_stays_zero(mine):
    call(mine.clip, [np.zeros(3)], 1.0).gives(([np.zeros(3)], 0.0))
