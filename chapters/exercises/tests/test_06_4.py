"""06.4: the analogy."""

import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

MAN, WOMAN, KING, QUEEN, PRINCESS, NURSE, APPLE = range(7)
#              he   she  crown small fruit
V = np.array([
    [1.0, 0.0, 0.0, 0.0, 0.0], [0, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 1],
])  # fmt: skip


def test_man_is_to_woman_as_king_is_to_queen(mine):
    call(mine.analogy, V, MAN, WOMAN, KING).gives(QUEEN)


def test_and_back(mine):
    call(mine.analogy, V, WOMAN, MAN, QUEEN).gives(KING)


def test_the_other_way_across(mine):
    call(mine.analogy, V, MAN, KING, WOMAN).gives(QUEEN)


def test_lengths_do_not_count(mine):
    call(mine.analogy, V * np.array([[9.0], [1], [0.1], [2], [20], [90], [50]]), MAN, WOMAN, KING).gives(QUEEN)


def test_c_itself_is_no_answer(mine):
    # a step so short that king stays the nearest
    near = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [-0.5, 1.0]])
    call(mine.analogy, near, 0, 1, 2).gives(3)


def test_nor_is_b(mine):
    near = np.array([[-1.0, 1.0], [1.0, 0.0], [-1.0, 0.5], [1.0, -1.0]])
    call(mine.analogy, near, 0, 1, 2).gives(3)


def test_nor_is_a(mine):
    # the same word twice: then b - a + c is a again
    near = np.array([[1.0, 0.0], [0.0, 1.0], [0.9, 0.1]])
    call(mine.analogy, near, 0, 1, 0).gives(2)
    near = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, -2.0]])
    call(mine.analogy, near, 0, 1, 2).gives(3)


def test_a_row_of_zeros_has_no_direction(mine):
    call(mine.analogy, np.vstack([V, np.zeros((1, 5))]), MAN, WOMAN, KING).gives(QUEEN)


@given(st.permutations(range(7)))
def test_the_order_of_the_words_does_not_matter(mine, order):
    order = list(order)
    a, b, c, d = (order.index(word) for word in (MAN, WOMAN, KING, QUEEN))
    call(mine.analogy, V[order], a, b, c).gives(d)


@given(st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=5, max_size=6))
def test_it_is_the_largest_cosine_of_the_others(mine, rows):
    rows = [[x / 4 for x in row] for row in rows]
    ones = [[x / (math.hypot(*row) or 1) for x in row] for row in rows]
    target = [y - x + z for x, y, z in zip(*ones[:3])]
    others = sorted((sum(x * t for x, t in zip(one, target)), d) for d, one in enumerate(ones) if d > 2)
    assume(others[-1][0] - others[-2][0] > 1e-6)  # no ties
    call(mine.analogy, np.array(rows), 0, 1, 2).gives(others[-1][1])
