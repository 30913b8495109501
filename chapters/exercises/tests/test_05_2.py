"""05.2: a merge."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_each_pair_is_replaced(mine):
    call(mine.merge_pair, [1, 2, 3, 1, 2], (1, 2), 9).gives([9, 3, 9])


def test_a_pair_at_the_end(mine):
    call(mine.merge_pair, [3, 1, 2], (1, 2), 9).gives([3, 9])


def test_no_pair_no_change(mine):
    call(mine.merge_pair, [2, 1, 3], (1, 2), 9).gives([2, 1, 3])


def test_a_lonely_first_half_stays(mine):
    call(mine.merge_pair, [1, 1, 2, 1], (1, 2), 9).gives([1, 9, 1])


def test_three_in_a_row_are_one_pair_and_one_left(mine):
    call(mine.merge_pair, [1, 1, 1], (1, 1), 9).gives([9, 1])


def test_four_in_a_row_are_two_pairs(mine):
    call(mine.merge_pair, [1, 1, 1, 1], (1, 1), 9).gives([9, 9])


def test_the_new_id_is_not_merged_again(mine):
    # where two pairs spell the same bytes, the new id is an old one, and may be half of the pair itself
    call(mine.merge_pair, [1, 2, 2], (1, 2), 1).gives([1, 2])


def test_nor_where_it_is_the_second_half(mine):
    call(mine.merge_pair, [1, 1, 2], (1, 2), 2).gives([1, 2])


def test_words_without_pairs(mine):
    call(mine.merge_pair, [], (1, 2), 9).gives([])
    call(mine.merge_pair, [1], (1, 2), 9).gives([1])


def test_a_tuple_gives_a_list(mine):
    call(mine.merge_pair, (1, 2, 3), (1, 2), 9).gives([9, 3])


@given(st.lists(st.integers(0, 2), max_size=12))
def test_the_same_as_replacing_letters(mine, word):
    # str.replace goes from the left and never overlaps, too
    letters = "".join("abc"[i] for i in word)
    expected = ["abcd".index(letter) for letter in letters.replace("ab", "d")]
    call(mine.merge_pair, word, (0, 1), 3).gives(expected)


@given(st.integers(0, 9))
def test_a_row_of_one_letter(mine, length):
    call(mine.merge_pair, [0] * length, (0, 0), 1).gives([1] * (length // 2) + [0] * (length % 2))
