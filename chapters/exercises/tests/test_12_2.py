"""12.2: counting parameters. Its golden: what transformers' GPT-2 has."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.models.gpt import GPT, GPTConfig


def test_without_a_layer_there_are_two_tables_and_a_norm(mine):
    call(mine.n_parameters, 5, 3, 0, 2).gives(5 * 2 + 3 * 2 + 2 + 2)


def test_a_layer_is_twelve_matrices(mine):
    # D² is 100: four in attention, four to widen, four to narrow; norms 2 · 10
    without = call(mine.n_parameters, 5, 3, 0, 10, False)
    call(mine.n_parameters, 5, 3, 1, 10, False).then(f" - {without.text}", lambda n: n - without.result).gives(1220)


def test_biases_of_a_layer(mine):
    # with D = 1: 3 + 1 in attention, 4 + 1 in the MLP, and 2 norms
    plain, none = call(mine.n_parameters, 5, 3, 1, 1, False), call(mine.n_parameters, 5, 3, 0, 1, False)
    none_with = call(mine.n_parameters, 5, 3, 0, 1, True)
    rest = f" - {none_with.text} - ({plain.text} - {none.text})"
    made = call(mine.n_parameters, 5, 3, 1, 1, True)
    made.then(rest, lambda n: n - none_with.result - (plain.result - none.result)).gives(11)


def test_the_last_norm_has_a_bias_too(mine):
    call(mine.n_parameters, 5, 3, 0, 2, False).gives(5 * 2 + 3 * 2 + 2)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), st.sampled_from([2, 4]), st.booleans())
def test_as_many_as_the_packages_model_has(mine, vocab_size, block_size, n_layer, n_embd, bias):
    config = GPTConfig(vocab_size, block_size, n_layer, 2, n_embd, bias=bias)
    expected = GPT(config, rng=np.random.default_rng(0)).n_parameters()
    call(mine.n_parameters, vocab_size, block_size, n_layer, n_embd, bias).gives(expected)


def test_gpt2(mine):
    # transformers 5.24.0: GPT2LMHeadModel(GPT2Config()), small and XL
    call(mine.n_parameters, 50257, 1024, 12, 768).gives(124_439_808)
    call(mine.n_parameters, 50257, 1024, 48, 1600).gives(1_557_611_200)
