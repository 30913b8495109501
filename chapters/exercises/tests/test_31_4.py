"""31.4: WEAT."""

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

RIGHT, UP = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
# SciPy 1.17.1: permutation_test(..., n_resamples=inf, alternative="greater") of the cosines' differences; NumPy's std
GOLDEN = (0.9128910459282726, 8 / 70)


def test_four_names_at_right_angles(mine):
    # s is 1, 1, -1, -1: the means are 2 apart, and the squares make 4 / 3; of six ways one is as good
    call(mine.weat, np.repeat(RIGHT, 2, 0), np.repeat(UP, 2, 0), RIGHT, UP).gives((2 / math.sqrt(4 / 3), 1 / 6))


def test_one_side_alone_counts(mine):
    call(mine.weat, np.repeat(UP, 2, 0), np.repeat(RIGHT, 2, 0), RIGHT, UP).gives((-2 / math.sqrt(4 / 3), 1.0))


def test_the_length_of_a_vector_does_not_count(mine):
    x, y = np.array([[3.0, 0.0], [0.5, 0.0]]), np.array([[0.0, 7.0], [0.0, 1.0]])
    call(mine.weat, x, y, 4 * RIGHT, 0.1 * UP).gives((2 / math.sqrt(4 / 3), 1 / 6))


def test_each_list_has_a_mean_of_its_own(mine):
    # cosines to the first list are 1, 0 and √½; to the two of the second ½, ½ and √½ in the mean: s is ½, -½ and 0
    b, y = np.concatenate([RIGHT, UP]), np.array([[0.0, 1.0], [1.0, 1.0]])
    call(mine.weat, RIGHT, y, RIGHT, b).gives((0.75 / 0.5, 1 / 3))


def test_as_good_counts_as_good(mine):
    # s is 1 and -1 in either group: of six ways only the one with both -1 is worse
    both = np.concatenate([RIGHT, UP])
    call(mine.weat, both, both, RIGHT, UP).gives((0.0, 5 / 6))


def test_groups_of_two_sizes(mine):
    # one name against three: s is 1, and 0, 0, -1; four ways, and one as good
    x, y = RIGHT, np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    s = np.array([1.0, 0.0, 0.0, -1.0])
    call(mine.weat, x, y, RIGHT, UP).gives(((1 + 1 / 3) / s.std(ddof=1), 1 / 4))


def test_a_golden(mine):
    rng = np.random.default_rng(31)
    x, y, a, b = (rng.normal(size=(count, 5)) for count in (4, 4, 3, 2))
    x = x + a.mean(0)
    call(mine.weat, x, y, a, b).gives(GOLDEN)


@given(st.integers(0, 999), st.integers(1, 3), st.integers(2, 4), st.integers(1, 3))
def test_name_by_name(mine, seed, first, second, words):
    rng = np.random.default_rng(seed)
    x, y, a, b = (rng.normal(size=(count, 3)) for count in (first, second, words, 2))

    def cos(u, v):
        return sum(u * v) / math.sqrt(sum(u * u) * sum(v * v))

    s = [sum(cos(w, v) for v in a) / len(a) - sum(cos(w, v) for v in b) / len(b) for w in (*x, *y)]

    def apart(chosen):
        rest = [i for i in range(len(s)) if i not in chosen]
        return sum(s[i] for i in chosen) / first - sum(s[i] for i in rest) / second

    ways = [apart(chosen) for chosen in itertools.combinations(range(len(s)), first)]
    middle = sum(s) / len(s)
    spread = math.sqrt(sum((each - middle) ** 2 for each in s) / (len(s) - 1))
    as_large = sum(way >= ways[0] - 1e-12 for way in ways)
    call(mine.weat, x, y, a, b).gives((ways[0] / spread, as_large / len(ways)))
