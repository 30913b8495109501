"""05.1: the best pair. Its golden: what tokenizers merges first."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

# tokenizers 0.23.3, BpeTrainer on "low low low lower lower newest newest newest widest widest", its first merge
GOLDEN_WORDS = [(b"low", 1), (b" low", 2), (b" lower", 2), (b" newest", 3), (b" widest", 2)]


def test_one_word(mine):
    call(mine.best_pair, [((1, 2, 3, 1, 2), 1)]).gives((1, 2))


def test_a_word_counts_as_often_as_it_occurs(mine):
    call(mine.best_pair, [((1, 2), 2), ((3, 4), 5), ((1, 2), 1)]).gives((3, 4))


def test_counts_of_different_words_add_up(mine):
    call(mine.best_pair, [((7, 8, 9), 3), ((8, 9), 5), ((6, 7), 7)]).gives((8, 9))


def test_a_pair_does_not_reach_into_the_next_word(mine):
    call(mine.best_pair, [((1, 5), 1), ((5,), 9)]).gives((1, 5))


def test_of_equals_the_smallest_ids(mine):
    call(mine.best_pair, [((3, 3), 4), ((2, 0), 4), ((1, 9), 4), ((5, 5), 4)]).gives((1, 9))


def test_the_second_id_decides_where_the_first_are_equal(mine):
    call(mine.best_pair, [((1, 9), 2), ((1, 3), 2)]).gives((1, 3))


def test_three_in_a_row_are_two_pairs(mine):
    call(mine.best_pair, [((4, 4, 4), 1), ((1, 2), 1)]).gives((4, 4))


def test_no_word_has_two_ids(mine):
    call(mine.best_pair, [((1,), 9), ((), 3)]).gives(None)
    call(mine.best_pair, []).gives(None)


def test_a_pair_that_is_too_rare_is_none(mine):
    call(mine.best_pair, [((7, 8, 9), 3), ((8, 9), 5)], min_frequency=9).gives(None)
    call(mine.best_pair, [((7, 8, 9), 3), ((8, 9), 5)], min_frequency=8).gives((8, 9))
    call(mine.best_pair, [((1, 2, 1, 2), 1)], min_frequency=2).gives((1, 2))


def test_what_tokenizers_merges_first(mine):
    call(mine.best_pair, [(tuple(word), count) for word, count in GOLDEN_WORDS]).gives(tuple(b"es"))


WORDS = st.lists(st.tuples(st.lists(st.integers(0, 3), max_size=5).map(tuple), st.integers(1, 4)), max_size=5)


@given(WORDS, st.integers(1, 9))
def test_no_pair_is_better(mine, words, least):
    text = [pair for word, count in words for pair in list(zip(word, word[1:])) * count]
    best = None
    for pair in sorted(set(text)):
        if text.count(pair) >= least and (best is None or text.count(pair) > text.count(best)):
            best = pair
    call(mine.best_pair, words, min_frequency=least).gives(best)
