"""07.1: counting, and backing off."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

TOKENS = [0, 1, 2, 0, 1, 0, 2]
TABLES = [
    {(): np.array([3.0, 2.0, 2.0])},
    {(0,): np.array([0.0, 2.0, 1.0]), (1,): np.array([1.0, 0.0, 1.0]), (2,): np.array([1.0, 0.0, 0.0])},
    {(0, 1): np.array([1.0, 0.0, 1.0]), (1, 2): np.array([1.0, 0.0, 0.0]), (2, 0): np.array([0.0, 1.0, 0.0]), (1, 0): np.array([0.0, 0.0, 1.0])},
]  # fmt: skip


def test_without_context_it_counts_tokens(mine):
    call(mine.followers, TOKENS, 0).gives(TABLES[0])


def test_what_followed_one_token(mine):
    call(mine.followers, TOKENS, 1).gives(TABLES[1])


def test_what_followed_two(mine):
    call(mine.followers, TOKENS, 2).gives(TABLES[2])


def test_a_text_shorter_than_the_context(mine):
    call(mine.followers, [1, 0], 3).gives({})


def test_a_context_that_was_seen(mine):
    call(mine.predict, TABLES, [0, 1]).gives(np.array([0.5, 0.0, 0.5]))


def test_one_that_was_not_gives_up_its_oldest_token(mine):
    # (2, 1) never came; (1,) did, and 0 or 2 followed it
    call(mine.predict, TABLES, [2, 1]).gives(np.array([0.5, 0.0, 0.5]))
    call(mine.predict, TABLES, [2, 2]).gives(np.array([1.0, 0.0, 0.0]))


def test_more_context_than_was_counted(mine):
    call(mine.predict, TABLES, [0, 1, 2, 2, 0]).gives(np.array([0.0, 1.0, 0.0]))


def test_nothing_seen_but_tokens(mine):
    call(mine.predict, TABLES, [7]).gives(np.array([3.0, 2.0, 2.0]) / 7)
    call(mine.predict, TABLES, []).gives(np.array([3.0, 2.0, 2.0]) / 7)


@given(st.lists(st.integers(0, 2), min_size=2, max_size=12), st.integers(0, 3))
def test_every_token_but_the_first_n_is_counted_once(mine, tokens, n):
    pairs = Counter((tuple(tokens[i - n : i]), tokens[i]) for i in range(n, len(tokens)))
    expected = {}
    for (context, token), count in pairs.items():
        expected.setdefault(context, [0.0] * (1 + max(tokens)))[token] = float(count)
    call(mine.followers, tokens, n).gives({context: np.array(row) for context, row in expected.items()})
