"""10.1: the sinusoidal table."""

import math

import numpy as np

from tinygrad_llm.course.exercises.calls import call


def test_at_position_0_all_hands_point_up(mine):
    call(mine.sinusoidal_table, 1, 6).gives(np.array([[0.0, 1, 0, 1, 0, 1]]))


def test_one_clock(mine):
    call(mine.sinusoidal_table, 3, 2).gives(
        np.array([[0.0, 1.0], [math.sin(1), math.cos(1)], [math.sin(2), math.cos(2)]])
    )


def test_the_second_of_two_is_a_hundred_times_slower(mine):
    # 10000^(2/4) = 100
    made = call(mine.sinusoidal_table, 2, 4)
    made.gives(np.array([[0.0, 1.0, 0.0, 1.0], [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)]]))


def test_the_numbers_are_those_of_the_paper(mine):
    # transformers 5.24.0, MarianSinusoidalPositionalEmbedding(8, 6), row 7, its columns put in pairs
    made = call(mine.sinusoidal_table, 8, 6).then("[7]", lambda table: table[7])
    made.gives(np.array([0.6569866, 0.7539023, 0.3192247, 0.9476790, 0.0150805, 0.9998863]), atol=1e-6)


def test_a_step_of_five_is_the_same_turn_everywhere(mine):
    made = call(mine.sinusoidal_table, 40, 8)

    def products(table):  # of a place and the place five further on
        return (table[:-5] * table[5:]).sum(-1)

    made.then(": the product of each place and the fifth after it", products).gives(
        np.full(35, sum(math.cos(5 / 10_000 ** (i / 4)) for i in range(4)))
    )
