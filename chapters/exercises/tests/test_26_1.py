"""26.1: how much better than its group an answer is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import align
from tinygrad_llm.course.exercises.calls import call


def test_the_mean_of_the_group_is_taken_away(mine):
    call(mine.group_advantages, np.array([1.0, 0.0, 0.0, 1.0]), 4, "none").gives(np.array([0.5, -0.5, -0.5, 0.5]))


def test_each_group_has_a_mean_of_its_own(mine):
    rewards, wanted = np.array([1.0, 0.0, 5.0, 7.0]), np.array([0.5, -0.5, -1.0, 1.0])
    call(mine.group_advantages, rewards, 2, "none").gives(wanted)


def test_the_scale_is_the_groups_own(mine):
    rewards, root = np.array([1.0, 0.0, 50.0, 70.0]), 1 / np.sqrt(2)  # standard deviations of sqrt(1/2) and sqrt(200)
    call(mine.group_advantages, rewards, 2, "group", 0.0).gives(np.array([root, -root, -root, root]))


def test_eps_is_added_to_the_deviation(mine):
    rewards = np.array([1.0, 3.0, 2.0])  # the deviation is 1
    call(mine.group_advantages, rewards, 3, "group", 1.0).gives(np.array([-0.5, 0.5, 0.0]))


def test_a_group_of_equals_has_none(mine):
    call(mine.group_advantages, np.array([1.0, 1.0, 1.0]), 3).gives(np.zeros(3))


def test_the_scale_of_the_batch_is_one_for_all(mine):
    rewards = np.array([0.0, 2.0, 0.0, 2.0, 1.0, 1.0])  # the deviation of all is sqrt(4/5)
    s = np.sqrt(0.8) + 1
    call(mine.group_advantages, rewards, 2, "batch", 1.0).gives(np.array([-1 / s, 1 / s, -1 / s, 1 / s, 0.0, 0.0]))


def test_the_scale_of_the_batch_is_that_of_all_rewards(mine):
    rewards, root = np.array([0.0, 1.0, 2.0, 3.0]), np.sqrt(5 / 3)  # within the groups the rewards vary less
    call(mine.group_advantages, rewards, 2, "batch", 0.0).gives(np.array([-0.5, 0.5, -0.5, 0.5]) / root)


def test_group_is_the_scale_that_is_taken(mine):
    root = 1 / (np.sqrt(2) + 1e-4)
    call(mine.group_advantages, np.array([0.0, 2.0]), 2).gives(np.array([-root, root]))


@given(st.integers(1, 3), st.integers(2, 4), st.sampled_from(["none", "group", "batch"]), st.integers(0, 9))
def test_the_package_says_the_same(mine, groups, size, scale, seed):
    rewards = np.random.default_rng(seed).integers(0, 4, groups * size) * 1.0
    wanted = align.group_advantages(rewards, size, scale)
    call(mine.group_advantages, rewards, size, scale).gives(wanted)
