"""22.2: merge an adapter into its layer, and take it out again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

W, A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0]]), np.array([[10.0], [20.0]])
BOTH = W + np.array([[10.0, 0.0], [20.0, 0.0]])


def layer_of(weight=W, a=A, b=B, alpha=1):
    return {"weight": weight.copy(), "A": a, "B": b, "alpha": alpha, "kept": None}


def test_merged_is_the_sum(mine):
    def weight_after_merge(weight, a, b):
        layer = layer_of(weight, a, b)
        mine.merge(layer)
        return layer["weight"]

    call(weight_after_merge, W, A, B).gives(BOTH)


def test_the_scale_is_in_it(mine):
    def weight_with_alpha(alpha, r):
        layer = layer_of(a=np.ones((r, 2)), b=np.ones((2, r)), alpha=alpha)  # B A is r everywhere
        mine.merge(layer)
        return layer["weight"]

    call(weight_with_alpha, 6, 2).gives(W + 6)


def test_merged_twice_is_merged_once(mine):
    def weight_after_two(weight):
        layer = layer_of(weight)
        mine.merge(layer)
        mine.merge(layer)
        return layer["weight"]

    call(weight_after_two, W).gives(BOTH)


def test_unmerged_is_the_old_weight_to_the_bit(mine):
    def bits_back(weight, b):
        layer = layer_of(weight, b=b)
        mine.merge(layer)
        mine.unmerge(layer)
        return bool((layer["weight"] == weight).all())

    call(bits_back, np.array([[0.1, 0.2], [0.3, 0.7]]), np.array([[1e9 / 3], [1 / 3]])).gives(True)


def test_unmerging_what_is_not_merged_changes_nothing(mine):
    def weight_after_unmerge(weight):
        layer = layer_of(weight)
        mine.unmerge(layer)
        return layer["weight"]

    call(weight_after_unmerge, W).gives(W)


def test_merging_again_after_unmerging(mine):
    def weight_there_and_back_and_there(weight):
        layer = layer_of(weight)
        mine.merge(layer)
        mine.unmerge(layer)
        mine.merge(layer)
        return layer["weight"]

    call(weight_there_and_back_and_there, W).gives(BOTH)


def test_the_array_that_was_given_stays_as_it_was(mine):
    def given_array_after_merge(weight):
        layer = layer_of(weight)
        own = layer["weight"]
        mine.merge(layer)
        return own

    call(given_array_after_merge, W).gives(W)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 9))
def test_merged_computes_what_the_two_compute(mine, outputs, inputs, r, seed):
    rng = np.random.default_rng(seed)
    shapes = ((outputs, inputs), (r, inputs), (outputs, r), (2, inputs))
    weight, a, b, x = (rng.integers(-3, 4, shape) * 1.0 for shape in shapes)

    def merged_output(x, weight, a, b):
        layer = layer_of(weight, a, b, 3.0)
        mine.merge(layer)
        return x @ layer["weight"].T

    call(merged_output, x, weight, a, b).gives(x @ weight.T + 3.0 / r * (x @ a.T @ b.T))
