"""03.4: warm-up and cosine."""

import math

from tinygrad_llm.course.exercises.calls import call


def test_it_rises_in_a_straight_line(mine):
    call(mine.rate, 0, 2.0, 100, 10).gives(0.0)
    call(mine.rate, 5, 2.0, 100, 10).gives(1.0)


def test_at_the_end_of_the_warm_up_it_is_the_full_rate(mine):
    call(mine.rate, 10, 2.0, 100, 10).gives(2.0)


def test_half_way_down_it_is_half(mine):
    call(mine.rate, 55, 2.0, 100, 10).gives(1.0)
    call(mine.rate, 55, 2.0, 100, 10, 0.4).gives(1.2)


def test_a_quarter_of_the_way(mine):
    call(mine.rate, 25, 2.0, 100).gives(1 + math.cos(math.pi / 4))


def test_at_the_end_and_after_it_is_final(mine):
    call(mine.rate, 100, 2.0, 100, 10, 0.4).gives(0.4)
    call(mine.rate, 150, 2.0, 100, 10, 0.4).gives(0.4)


def test_a_run_that_is_all_warm_up(mine):
    call(mine.rate, 4, 2.0, 4, 8).gives(1.0)
    call(mine.rate, 9, 2.0, 8, 8).gives(0.0)


def test_nothing_is_divided_by_nothing(mine):
    # the warm-up ends where the run does: the full rate or the final one, both are right
    call(mine.rate, 8, 2.0, 8, 8).then(" in (2.0, 0.0)", lambda rate: rate in (2.0, 0.0)).gives(True)
