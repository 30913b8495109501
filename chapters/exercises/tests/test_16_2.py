"""16.2: what stood there before. The last check goes through all pairs of runs."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_the_example(mine):
    call(mine.duplicate_ngram_share, ["a", "bb", "ccc", "a", "bb", "ccc", "d"], 2).gives(6 / 13)


def test_no_run_comes_again(mine):
    call(mine.duplicate_ngram_share, ["a", "bb", "ccc", "a"], 2).gives(0.0)


def test_the_first_one_is_not_marked(mine):
    call(mine.duplicate_ngram_share, ["the", "cat", "the", "cat"], 2).gives(0.5)


def test_characters_count_and_not_words(mine):
    call(mine.duplicate_ngram_share, ["a", "b", "longer", "a", "b"], 2).gives(2 / 10)


def test_a_word_in_two_runs_counts_once(mine):
    call(mine.duplicate_ngram_share, ["a", "b", "c", "a", "b", "c"], 2).gives(0.5)
    call(mine.duplicate_ngram_share, ["x"] * 6, 3).gives(5 / 6)


def test_runs_begin_at_every_word(mine):
    call(mine.duplicate_ngram_share, ["a", "b", "c", "d", "b", "c"], 2).gives(2 / 6)


def test_words_have_borders(mine):
    call(mine.duplicate_ngram_share, ["ab", "c", "a", "bc"], 2).gives(0.0)


def test_runs_of_one(mine):
    call(mine.duplicate_ngram_share, ["aa", "b", "aa", "b", "aa"], 1).gives(5 / 8)


def test_order_matters(mine):
    call(mine.duplicate_ngram_share, ["a", "b", "b", "a"], 2).gives(0.0)


def test_a_page_that_is_too_short(mine):
    call(mine.duplicate_ngram_share, ["a", "b"], 3).gives(0.0)
    call(mine.duplicate_ngram_share, [], 2).gives(0.0)


def test_a_page_of_one_run_twice(mine):
    call(mine.duplicate_ngram_share, ["a", "b", "c"] * 2, 3).gives(0.5)


words = st.lists(st.sampled_from(["a", "bb", "c"]), max_size=8)


@given(words, st.integers(1, 3))
def test_as_all_pairs_of_runs_say(mine, words, n):
    places = range(len(words) - n + 1)
    again = {k + j for k in places for j in range(n) if any(words[i : i + n] == words[k : k + n] for i in range(k))}
    expected = sum(len(words[k]) for k in again) / max(1, sum(map(len, words)))
    call(mine.duplicate_ngram_share, words, n).gives(expected)
