"""20.2: the contrastive loss."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

X, Y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.6, 0.8]])
# torch 2.13.0: F.cross_entropy of logits and of their transpose, in float64, for P and T below at 0.5
P = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [3.0, 0.0, 1.0]])
T = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, -2.0], [0.0, 1.0, 1.0]])
GOLDEN = 0.8751914862295537


def test_one_pair_has_nothing_to_choose(mine):
    call(mine.contrastive_loss, X[:1], Y[:1], 0.5).gives(0.0)


def test_who_cannot_tell_chooses_one_of_two(mine):
    call(mine.contrastive_loss, X[[0, 0]], X[[0, 0]], 1.0).gives(math.log(2))


def test_a_right_pair_of_cosine_1_against_0(mine):
    # every row and every column has the logits 1 and 0
    call(mine.contrastive_loss, X, X, 1.0).gives(math.log(1 + math.exp(-1)))


def test_the_length_of_a_vector_does_not_count(mine):
    call(mine.contrastive_loss, X * np.array([[3.0], [0.5]]), 7 * X, 1.0).gives(math.log(1 + math.exp(-1)))


def test_the_temperature_divides(mine):
    call(mine.contrastive_loss, X, X, 0.5).gives(math.log(1 + math.exp(-2)))
    call(mine.contrastive_loss, X, X, 4.0).gives(math.log(1 + math.exp(-0.25)))


def test_both_directions_count(mine):
    # logits [[1, 0.6], [0, 0.8]]: by rows differences of 0.4 and 0.8, by columns of 1 and 0.2
    texts, pictures = (math.log(1 + math.exp(-a)) + math.log(1 + math.exp(-b)) for a, b in ((0.4, 0.8), (1.0, 0.2)))
    call(mine.contrastive_loss, X, Y, 1.0).gives((texts + pictures) / 4)


def test_a_small_temperature_does_not_overflow(mine):
    call(mine.contrastive_loss, X, X, 0.001).gives(0.0)
    call(mine.contrastive_loss, X, X[::-1], 0.001).gives(1000.0)


def test_each_choice_has_its_own_largest_logit(mine):
    # logits [[1000, 0], [0, -1000]]: the first pair is sure and right, the second sure and wrong
    call(mine.contrastive_loss, X, X * np.array([[1.0], [-1.0]]), 0.001).gives(500.0)


def test_pytorchs_value(mine):
    call(mine.contrastive_loss, P, T, 0.5).gives(GOLDEN)


@given(st.integers(1, 3), st.integers(2, 3), st.integers(0, 99))
def test_pair_by_pair(mine, batch, width, seed):
    rng = np.random.default_rng(seed)
    pictures, texts = rng.choice([-2.0, -1.0, 1.0, 2.0], (2, batch, width))
    size = [[math.sqrt(sum(v * v for v in row)) for row in rows] for rows in (pictures, texts)]
    logit = [[pictures[i] @ texts[j] / size[0][i] / size[1][j] / 0.7 for j in range(batch)] for i in range(batch)]
    total = 0.0
    for i in range(batch):
        total += math.log(sum(math.exp(logit[i][j]) for j in range(batch))) - logit[i][i]
        total += math.log(sum(math.exp(logit[j][i]) for j in range(batch))) - logit[i][i]
    call(mine.contrastive_loss, pictures, texts, 0.7).gives(total / (2 * batch))
