"""12.1: the loss on chosen words."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.course.exercises.show import Spelled

ALL = np.ones((1, 3), bool)
SURE = Spelled("np.log(np.array([[[0.25, 0.75], [0.5, 0.5], [1e-9, 1.0]]]))")  # what it says at places 0, 1 and 2


def test_the_first_place_speaks_about_the_second_word(mine):
    # 0 -> word 1 is 1: 0.75;  1 -> word 2 is 0: 0.5.  The last place speaks of a word that is not there
    call(mine.chosen_loss, SURE, np.array([[0, 1, 0]]), ALL).gives(-math.log(0.75 * 0.5) / 2)


def test_a_word_is_chosen_not_the_place_that_speaks_about_it(mine):
    call(mine.chosen_loss, SURE, np.array([[0, 1, 0]]), np.array([[False, True, False]])).gives(-math.log(0.75))


def test_nobody_predicts_the_first_word(mine):
    call(mine.chosen_loss, SURE, np.array([[1, 1, 0]]), np.array([[True, False, True]])).gives(-math.log(0.5))


def test_a_mean_over_the_chosen_words_of_all_stories(mine):
    # one chosen word in the first story, two in the second
    logits, tokens = Spelled(f"np.concatenate([{SURE.text}] * 2)"), np.array([[0, 1, 0], [1, 0, 1]])
    chosen = np.array([[False, True, False], [False, True, True]])
    call(mine.chosen_loss, logits, tokens, chosen).gives(-(math.log(0.75) + math.log(0.25) + math.log(0.5)) / 3)


def test_large_logits_do_not_overflow(mine):
    call(mine.chosen_loss, Spelled(f"{SURE.text} + 1000"), np.array([[0, 1, 0]]), ALL).gives(-math.log(0.75 * 0.5) / 2)


def test_each_place_has_a_maximum_of_its_own(mine):
    # with one maximum for all places, every exp at the second would be 0
    logits = Spelled(f"{SURE.text} + np.array([[[1000.0], [0.0], [0.0]]])")
    call(mine.chosen_loss, logits, np.array([[0, 1, 0]]), ALL).gives(-math.log(0.75 * 0.5) / 2)


def test_logits_are_no_probabilities_yet(mine):
    call(mine.chosen_loss, np.zeros((1, 2, 4)), np.array([[0, 3]]), ALL[:, :2]).gives(math.log(4))


@given(st.lists(st.integers(0, 2), min_size=2, max_size=5), st.integers(0, 99))
def test_the_losses_of_single_words_add_up(mine, words, seed):
    logits = np.random.default_rng(seed).integers(-3, 4, (1, len(words), 3)) * 1.0
    tokens, one = np.array([words]), np.eye(len(words), dtype=bool)
    alone = [call(mine.chosen_loss, logits, tokens, one[None, t]).result for t in range(1, len(words))]
    call(mine.chosen_loss, logits, tokens, np.ones((1, len(words)), bool)).gives(float(np.mean(alone)))


def test_as_torch_and_transformers_have_it(mine):
    # torch 2.13.0: F.cross_entropy in float64 of the shifted logits; transformers 5.24.0: ForCausalLMLoss with labels -100
    # where nothing is chosen, 1.73014915, in float32
    logits = np.array([
        [[2.0, -1.0, 0.5], [0.0, 1.0, 3.0], [-2.0, 0.5, 1.0], [1.0, 1.5, -1.0]],
        [[0.5, 0.0, -0.5], [2.0, 2.5, -3.0], [1.0, 0.0, 4.0], [0.0, 0.0, 1.0]],
    ])  # fmt: skip
    tokens = np.array([[0, 2, 1, 1], [1, 0, 2, 0]])
    chosen = np.array([[True, False, True, True], [False, True, False, True]])
    call(mine.chosen_loss, logits, tokens, chosen).gives(1.7301491240744333)
