"""25.2: the loss of DPO, with its derivative."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import Tensor
from tinygrad_llm.align import PreferenceConfig
from tinygrad_llm.course.exercises.calls import call


def test_before_any_step_it_is_ln_2(mine):
    call(mine.pair_loss, np.zeros(2), np.zeros(2), 0.1).gives((np.log(2), np.array([-0.025, -0.025])))


def test_the_chosen_ahead_costs_less(mine):
    ln_3 = np.array([np.log(3)])  # s(ln 3) is 3/4
    call(mine.pair_loss, ln_3, np.zeros(1), 1.0).gives((np.log(4 / 3), np.array([-0.25])))
    call(mine.pair_loss, np.zeros(1), ln_3, 1.0).gives((np.log(4), np.array([-0.75])))


def test_only_the_difference_counts(mine):
    ln_3 = np.array([np.log(3)])
    call(mine.pair_loss, ln_3 - 9, np.zeros(1) - 9, 1.0).gives((np.log(4 / 3), np.array([-0.25])))


def test_beta_scales_the_difference_and_the_derivative(mine):
    ln_9 = np.array([2 * np.log(3)])
    call(mine.pair_loss, ln_9, np.zeros(1), 0.5).gives((np.log(4 / 3), np.array([-0.125])))


def test_a_wrong_label_is_reckoned_with(mine):
    ln_3 = np.array([np.log(3)])
    cost = 0.75 * np.log(4 / 3) + 0.25 * np.log(4)
    call(mine.pair_loss, ln_3, np.zeros(1), 1.0, 0.25).gives((cost, np.array([0.0])))  # s(h) is 1 - smoothing


def test_far_apart_does_not_overflow(mine):
    call(mine.pair_loss, np.array([1000.0, 0.0]), np.array([0.0, 1000.0]), 1.0).gives((500.0, np.array([0.0, -0.5])))
    call(mine.pair_loss, np.array([1000.0]), np.array([0.0]), 1.0, 0.5).gives((500.0, np.array([0.5])))


def test_a_large_h_raises_no_warning(mine):
    with np.errstate(over="raise", invalid="raise"):  # 1 / (1 + inf) would be right, and warn
        call(mine.pair_loss, np.array([0.0]), np.array([1000.0]), 1.0).gives((1000.0, np.array([-1.0])))
        call(mine.pair_loss, np.array([2000.0]), np.array([0.0]), 0.5, 0.25).gives((250.0, np.array([0.125])))


@given(st.integers(1, 4), st.sampled_from([0.1, 1.0]), st.sampled_from([0.0, 0.1, 0.3]), st.integers(0, 9))
def test_the_package_says_the_same(mine, count, beta, smoothing, seed):
    chosen, rejected = np.random.default_rng(seed).integers(-3, 4, (2, count)) * 1.0
    d = Tensor(chosen - rejected, requires_grad=True)
    loss = PreferenceConfig(beta=beta, label_smoothing=smoothing).cost(d).mean()
    loss.backward()
    call(mine.pair_loss, chosen, rejected, beta, smoothing).gives((loss.item(), d.grad))
