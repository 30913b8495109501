"""20.1: a picture from its patches."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import Tensor
from tinygrad_llm.course.exercises.calls import call

FOUR = np.arange(16.0).reshape(1, 1, 4, 4)
CUT = np.array([[[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]]) * 1.0


def test_one_patch_is_the_whole_picture(mine):
    call(mine.join, np.array([[[1.0, 2.0, 3.0, 4.0]]]), 2, 2, 2).gives(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))


def test_squares_and_not_strips(mine):
    # the upper left square holds 0 1 / 4 5
    call(mine.join, CUT, 2, 4, 4).gives(FOUR)


def test_a_picture_that_is_wider_than_high(mine):
    above = [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11]]
    patches = np.array([above + [[12 + v for v in row] for row in above]]) * 1.0
    call(mine.join, patches, 2, 4, 6).gives(np.arange(24.0).reshape(1, 1, 4, 6))


def test_all_red_before_all_green(mine):
    red = np.array([[0.0, 1.0], [4.0, 5.0]])
    call(mine.join, np.array([[[0.0, 1.0, 4.0, 5.0, 100.0, 101.0, 104.0, 105.0]]]), 2, 2, 2).gives(
        np.array([[red, 100 + red]])
    )


def test_patches_of_one_pixel(mine):
    call(mine.join, np.array([[[1.0, 10.0], [2.0, 20.0]]]), 1, 1, 2).gives(np.array([[[[1.0, 2.0]], [[10.0, 20.0]]]]))


def test_each_picture_by_itself(mine):
    patches = np.array([[[0, 1, 4, 5], [2, 3, 6, 7]], [[58, 59, 62, 63], [60, 61, 64, 65]]]) * 1.0
    call(mine.join, patches, 2, 2, 4).gives(np.concatenate([FOUR[:, :, :2], 50 + FOUR[:, :, 2:]]))


def test_a_tensor_stays_one(mine):
    def join_of_a_tensor(x, patch, height, width):
        picture = mine.join(Tensor(x), patch, height, width)
        return picture.numpy() if isinstance(picture, Tensor) else "not a Tensor any more"

    call(join_of_a_tensor, CUT, 2, 4, 4).gives(FOUR)


@given(st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_pixel_by_pixel(mine, batch, channels, rows, columns, patch):
    x = np.arange(batch * channels * rows * patch * columns * patch) * 1.0
    x = x.reshape(batch, channels, rows * patch, columns * patch)
    patches = [
        [
            [x[b, c, r * patch + i, k * patch + j] for c in range(channels) for i in range(patch) for j in range(patch)]
            for r in range(rows)
            for k in range(columns)
        ]
        for b in range(batch)
    ]
    call(mine.join, np.array(patches), patch, rows * patch, columns * patch).gives(x)
