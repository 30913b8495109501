"""07.2: perplexity and bits per byte."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_a_fair_coin_a_character(mine):
    call(mine.measures, np.log(np.full(4, 0.5)), "abba").gives((math.log(2), 2.0, 1.0))


def test_two_characters_a_token(mine):
    # four choices for two bytes are as good as two for each
    call(mine.measures, np.log(np.full(2, 0.25)), "abba").gives((math.log(4), 4.0, 1.0))


def test_a_sure_and_an_unsure_token(mine):
    call(mine.measures, np.log(np.array([1.0, 1 / 16])), "ab").gives((math.log(4), 4.0, 2.0))


def test_what_is_no_ascii_has_more_bytes_than_characters(mine):
    call(mine.measures, np.log(np.full(2, 0.5)), "éé").gives((math.log(2), 2.0, 0.5))


def test_knowing_nothing_of_256_bytes_is_no_compression(mine):
    call(mine.measures, np.full(5, -math.log(256)), "hello").gives((math.log(256), 256.0, 8.0))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_a_token_cut_in_two_costs_no_bits(mine, parts):
    # p(ab) = p(a) p(b given a): another loss a token, the same bits per byte
    fine = np.log(1 / np.array(parts * 2, float))
    coarse = fine.reshape(-1, 2).sum(1)
    text = "x" * len(fine)
    expected = call(mine.measures, fine, text).result[2]
    call(mine.measures, coarse, text).then("[2]", lambda three: three[2]).gives(expected, rtol=1e-9)
    call(mine.measures, fine, text).then("[1]", lambda three: three[1]).gives(float(np.prod(parts) ** (1 / len(parts))))
