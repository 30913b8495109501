"""00.1: how this works."""

from tinygrad_llm.course.exercises.calls import call


def test_double_of_three_is_six(mine):
    call(mine.double, 3).gives(6)


def test_double_of_nothing_is_nothing(mine):
    call(mine.double, 0).gives(0)
