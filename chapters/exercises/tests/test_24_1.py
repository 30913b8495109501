"""24.1: what a pair teaches."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import Tensor
from tinygrad_llm.align import RewardLoss
from tinygrad_llm.course.exercises.calls import call


def test_two_pairs_by_hand(mine):
    chosen, rejected = np.array([np.log(3.0), 0.0]), np.array([0.0, np.log(4.0)])  # p = 3/4 and 1/5
    wanted = (np.log(4 / 3) + np.log(5)) / 2, np.array([-1 / 8, -2 / 5])
    call(mine.preference_loss, chosen, rejected).gives(wanted)


def test_equals_cost_the_logarithm_of_two(mine):
    call(mine.preference_loss, np.array([7.0]), np.array([7.0])).gives((np.log(2), np.array([-0.5])))


def test_only_the_difference_counts(mine):
    one = (np.log(4 / 3), np.array([-1 / 4]))
    call(mine.preference_loss, np.array([np.log(3.0) + 5]), np.array([5.0])).gives(one)


def test_far_apart(mine):
    call(mine.preference_loss, np.array([0.0]), np.array([5000.0])).gives((5000.0, np.array([-1.0])))
    call(mine.preference_loss, np.array([5000.0]), np.array([0.0])).gives((0.0, np.array([0.0])))


class Scores:
    """A reward model that has only these to say."""

    def __init__(self, chosen, rejected):
        self.left = [chosen, rejected]

    def scores(self, batch, **_):
        return self.left.pop(0)


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=4))
def test_the_package_says_the_same(mine, pairs):
    chosen, rejected = np.array(pairs, float).T
    better = Tensor(chosen, requires_grad=True)
    loss = RewardLoss(Scores(better, Tensor(rejected)))({"chosen_tokens": chosen[:, None]}, divisor=len(chosen))
    loss.backward()
    call(mine.preference_loss, chosen, rejected).gives((loss.item(), better.grad))
