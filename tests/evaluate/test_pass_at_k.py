"""pass@k against an enumeration of all choices, against the mean over draws, and against the best of n."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest

from tinygrad_llm.align import expected_best
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.evaluate import pass_at_k


def test_it_is_the_share_of_all_choices_that_have_a_right_attempt():
    for n in range(1, 8):
        for c in range(n + 1):
            attempts = [True] * c + [False] * (n - c)
            for k in range(1, n + 1):
                wanted = np.mean([any(chosen) for chosen in combinations(attempts, k)])
                assert pass_at_k(n, c, k) == pytest.approx(wanted, abs=1e-12)
                assert pass_at_k(n, c, k) == pytest.approx(expected_best(np.array(attempts, float), k), abs=1e-12)


def test_its_mean_over_draws_is_the_true_chance_and_that_of_the_plain_formula_is_not():
    n, k, p = 8, 4, 0.3
    chances = [comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)]
    true = 1 - (1 - p) ** k
    assert sum(q * pass_at_k(n, c, k) for c, q in enumerate(chances)) == pytest.approx(true, abs=1e-12)
    plain = sum(q * (1 - (1 - c / n) ** k) for c, q in enumerate(chances))
    assert plain < true - 0.02


def test_large_numbers_are_no_trouble():
    assert pass_at_k(10_000, 1, 100) == pytest.approx(0.01, abs=1e-12)


@pytest.mark.parametrize(("n", "c", "k"), [(4, 1, 5), (4, 5, 1), (4, 1, 0), (0, 0, 1), (4, -1, 1), (4.0, 1, 1)])
def test_impossible_numbers_are_refused(n, c, k):
    with pytest.raises(ArgumentError):
        pass_at_k(n, c, k)
