"""10.2: RoPE's turn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

QUARTER = {"cos": np.array([[0.0]]), "sin": np.array([[1.0]])}
# transformers 5.24.0, apply_rotary_pos_emb in float64: x = (1, 2, 3, 4) at positions 0 and 1, base 10000
X = np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]])
LLAMA = np.array([[1.0, 2.0, 3.0, 4.0], [-1.9841106486, 1.9599006675, 2.4623779024, 4.0197996683]])


def angles(positions, size):
    turns = np.asarray(positions, float)[:, None] * 10_000.0 ** (-np.arange(size // 2) / (size // 2))
    return {"cos": np.cos(turns), "sin": np.sin(turns)}


def test_no_turn(mine):
    call(mine.rope, X[:1], cos=np.ones((1, 2)), sin=np.zeros((1, 2))).value(X[:1])


def test_a_quarter_turn(mine):
    call(mine.rope, np.array([[1.0, 0.0]]), **QUARTER).value(np.array([[0.0, 1.0]]))
    call(mine.rope, np.array([[0.0, 1.0]]), **QUARTER).value(np.array([[-1.0, 0.0]]))


def test_pairs_are_made_of_the_two_halves(mine):
    # the pairs are (1, 3) and (2, 4); the first is turned by a quarter, the second not at all
    made = call(mine.rope, X[:1], cos=np.array([[0.0, 1.0]]), sin=np.array([[1.0, 0.0]]))
    made.value(np.array([[-3.0, 2.0, 1.0, 4.0]]))


def test_llamas_numbers(mine):
    call(mine.rope, X, **angles([0, 1], 4)).value(LLAMA)


def test_heads_and_a_batch_in_front(mine):
    x = np.broadcast_to(X, (2, 3, 2, 4)).copy()
    call(mine.rope, x, **angles([0, 1], 4)).value(np.broadcast_to(LLAMA, (2, 3, 2, 4)).copy())


def test_the_gradient_is_turned_back(mine):
    call(mine.rope, np.array([[1.0, 0.0]]), **QUARTER).gradient(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]))


def test_float32_stays_float32(mine):
    x = np.array([[1.0, 0.0]], np.float32)
    call(mine.rope, x, **QUARTER).value(np.array([[0.0, 1.0]], np.float32))


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_the_gradient_follows_differences(mine, time, pairs, seed):
    x = np.random.default_rng(seed).integers(-3, 4, (time, 2 * pairs)) * 1.0
    call(mine.rope, x, **angles(range(time), 2 * pairs)).follows_differences()


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 99))
def test_products_depend_on_the_distance_alone(mine, shift, distance, seed):
    q, k = np.random.default_rng(seed).integers(-3, 4, (2, 1, 4)) * 1.0

    def product(shift):
        return float((mine.rope(q, **angles([shift + distance], 4))[0] * mine.rope(k, **angles([shift], 4))[0]).sum())

    call(product, shift).gives(product(0), atol=1e-8)
