"""04.3: find the leak."""

import numpy as np

from tinygrad_llm.course.exercises.calls import call

X = np.array([[1.0, -2.0]], np.float32)
Y = np.array([[3.0, 0.5]], np.float32)


def halved(x):
    return x / 2, lambda g, needs: g / 2


def halved_by_a_numpy_number(x):
    return x / np.float64(2), lambda g, needs: g / 2


def halved_with_a_leak_on_the_way_back(x):
    return x / 2, lambda g, needs: g / np.sqrt(4)


def halved_with_two(x):
    return x / np.float64(2), lambda g, needs: g / np.sqrt(4)


def product(x, y):
    return x * y, lambda g, needs: (g * y, g * x)


def product_with_a_leak_in_the_second(x, y):
    return x * y, lambda g, needs: (g * y, g * x * np.float64(1))


def only_what_is_wanted(x, y):
    return x * y, lambda g, needs: (g * y if needs[0] else None, g * x * np.float64(1) if needs[1] else None)


def picked(x, y):
    """y only says which; it has no gradient."""
    return np.where(y > 1, x, x * 0), lambda g, needs: (np.where(y > 1, g, g * 0), None)


def total(x):
    return x.sum(), lambda g, needs: np.broadcast_to(g, x.shape)


def halved_down_to_float32(x):
    return (x / 2).astype(np.float32), lambda g, needs: g / 2


def as_given(x):
    """Its gradient has the dtype of whatever comes back to it."""
    return x * 1, lambda g, needs: g


def test_no_leak(mine):
    call(mine.leaks, halved, X).gives([])


def test_the_value_leaks(mine):
    call(mine.leaks, halved_by_a_numpy_number, X).gives(["value"])


def test_the_gradient_leaks(mine):
    call(mine.leaks, halved_with_a_leak_on_the_way_back, X).gives(["gradient 0"])


def test_both_are_named(mine):
    call(mine.leaks, halved_with_two, X).gives(["value", "gradient 0"])


def test_two_arrays(mine):
    call(mine.leaks, product, X, Y).gives([])
    call(mine.leaks, product_with_a_leak_in_the_second, X, Y).gives(["gradient 1"])


def test_all_gradients_are_asked_for(mine):
    call(mine.leaks, only_what_is_wanted, X, Y).gives(["gradient 1"])


def test_a_gradient_that_does_not_exist(mine):
    call(mine.leaks, picked, X, Y).gives([])


def test_the_checks_own_g_is_no_leak(mine):
    call(mine.leaks, as_given, X).gives([])


def test_a_sum_has_no_axes(mine):
    call(mine.leaks, total, X).gives([])


def test_float64_is_right_where_the_arrays_are(mine):
    call(mine.leaks, halved_by_a_numpy_number, X.astype(np.float64)).gives([])


def test_a_leak_goes_both_ways(mine):
    call(mine.leaks, halved_down_to_float32, X.astype(np.float64)).gives(["value"])


def test_a_value_that_leaks_does_not_hide_the_way_back(mine):
    # g must have the arrays' dtype, not the leaked one of y
    def leaks_only_forward(x):
        return x * np.float64(1), lambda g, needs: g

    call(mine.leaks, leaks_only_forward, X).gives(["value"])
