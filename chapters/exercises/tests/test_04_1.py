"""04.1: the floor."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_one_number(mine):
    # one multiplication and one addition; x, W and y
    call(mine.work, 1, 1, 1).gives((2, 12))


def test_two_rows_share_the_weights(mine):
    call(mine.work, 2, 3, 5).gives((60, 4 * (6 + 15 + 10)))


def test_eight_bytes_a_number(mine):
    call(mine.work, 2, 3, 5, 8).gives((60, 8 * (6 + 15 + 10)))


def test_the_slower_of_the_two_decides(mine):
    # 60 operations, 124 bytes
    call(mine.floor, 2, 3, 5, 60.0, 1240.0).gives(1.0)
    call(mine.floor, 2, 3, 5, 600.0, 124.0).gives(1.0)


def test_float64_takes_twice_as_long_where_memory_decides(mine):
    call(mine.floor, 2, 3, 5, 600.0, 124.0, 8).gives(2.0)


def test_one_row_waits_for_memory_and_a_thousand_do_not(mine):
    # a laptop: 100 GFLOP/s, 20 GB/s
    call(mine.waits_for_memory, 1, 1024, 1024, 100e9, 20e9).gives(True)
    call(mine.waits_for_memory, 1000, 1024, 1024, 100e9, 20e9).gives(False)


def test_a_fast_memory_is_not_waited_for(mine):
    # two operations, twelve bytes: more bytes than operations, and yet they come in time
    call(mine.waits_for_memory, 1, 1, 1, 1.0, 100.0).gives(False)


def test_numbers_of_eight_bytes_wait_sooner(mine):
    call(mine.waits_for_memory, 16, 1024, 1024, 100e9, 20e9, 4).gives(False)
    call(mine.waits_for_memory, 16, 1024, 1024, 100e9, 20e9, 8).gives(True)


def test_a_tie_does_not_wait(mine):
    call(mine.waits_for_memory, 1, 1, 1, 2.0, 12.0).gives(False)


SIZES = st.integers(1, 9)


@given(SIZES, SIZES, SIZES)
def test_rows_add_work_but_the_weights_come_once(mine, n, i, o):
    def one_more(n, i, o):
        (more_done, more_moved), (done, moved) = mine.work(n + 1, i, o), mine.work(n, i, o)
        return more_done - done, more_moved - moved

    call(one_more, n, i, o).gives((2 * i * o, 4 * (i + o)))
