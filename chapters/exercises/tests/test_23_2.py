"""23.2: NF4's numbers."""

from statistics import NormalDist

import numpy as np

from tinygrad_llm.course.exercises.calls import call

NF4 = np.array(  # as Dettmers et al. print them
    [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
     -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
     0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0]
)  # fmt: skip


def test_two_bits_by_hand(mine):
    # probabilities 1/2, p/2 + 1/4 and p above, 1/2 and p below, with p = (7/8 + 5/6) / 2
    quantile, p = NormalDist().inv_cdf, (7 / 8 + 5 / 6) / 2
    call(mine.normal_float, 2).gives(np.array([-1.0, 0.0, quantile(p / 2 + 1 / 4) / quantile(p), 1.0]))


def test_there_are_as_many_as_the_bits_can_say(mine):
    call(mine.normal_float, 3).then(".shape", lambda values: np.array(np.shape(values))).gives(np.array([8]))


def test_zero_is_one_of_them(mine):
    call(mine.normal_float, 4).then("[7]", lambda values: values[7]).gives(0.0)


def test_four_bits_are_the_published_ones(mine):
    call(mine.normal_float, 4).then(".round(5)", lambda values: np.round(values, 5)).gives(NF4.round(5))


def test_one_more_lies_above_zero_than_below(mine):
    def sides(values):
        return np.array([np.sum(np.asarray(values) < 0), np.sum(np.asarray(values) > 0)])

    for bits in (3, 5):
        call(mine.normal_float, bits).then(" below and above 0", sides).gives(
            np.array([2 ** (bits - 1) - 1, 2 ** (bits - 1)])
        )


def test_five_bits_are_cut_evenly_too(mine):
    def shares(values):
        p = np.array([NormalDist().cdf(v * NormalDist().inv_cdf(1 - (1 / 32 + 1 / 31) / 4)) for v in values])
        return np.diff(p)[16:] / np.diff(p)[15]

    call(mine.normal_float, 5).then(" in steps of probability, over the first", shares).gives(np.ones(15))
