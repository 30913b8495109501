"""20.1: cut a picture into patches."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import Tensor
from tinygrad_llm.course.exercises.calls import call

FOUR = np.arange(16.0).reshape(1, 1, 4, 4)


def test_one_patch_is_the_whole_picture(mine):
    call(mine.cut, np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), 2).gives(np.array([[[1.0, 2.0, 3.0, 4.0]]]))


def test_squares_and_not_strips(mine):
    # the upper left square holds 0 1 / 4 5
    wanted = [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    call(mine.cut, FOUR, 2).gives(np.array([wanted]) * 1.0)


def test_a_picture_that_is_wider_than_high(mine):
    x = np.arange(24.0).reshape(1, 1, 4, 6)
    above = [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11]]
    call(mine.cut, x, 2).gives(np.array([above + [[12 + v for v in row] for row in above]]) * 1.0)


def test_all_red_before_all_green(mine):
    x = np.concatenate([FOUR[:, :, :2, :2], 100 + FOUR[:, :, :2, :2]], 1)
    call(mine.cut, x, 2).gives(np.array([[[0, 1, 4, 5, 100, 101, 104, 105]]]) * 1.0)


def test_patches_of_one_pixel(mine):
    x = np.array([[[[1.0, 2.0]], [[10.0, 20.0]]]])
    call(mine.cut, x, 1).gives(np.array([[[1.0, 10.0], [2.0, 20.0]]]))


def test_each_picture_by_itself(mine):
    x = np.concatenate([FOUR[:, :, :2], 50 + FOUR[:, :, 2:]])
    wanted = [[[0, 1, 4, 5], [2, 3, 6, 7]], [[58, 59, 62, 63], [60, 61, 64, 65]]]
    call(mine.cut, x, 2).gives(np.array(wanted) * 1.0)


def test_a_tensor_stays_one(mine):
    def cut_of_a_tensor(x, patch):
        patches = mine.cut(Tensor(x), patch)
        return patches.numpy() if isinstance(patches, Tensor) else "not a Tensor any more"

    call(cut_of_a_tensor, FOUR, 2).gives(
        np.array([[[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]]) * 1.0
    )


@given(st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_pixel_by_pixel(mine, batch, channels, rows, columns, patch):
    x = np.arange(batch * channels * rows * patch * columns * patch) * 1.0
    x = x.reshape(batch, channels, rows * patch, columns * patch)
    wanted = [
        [
            [x[b, c, r * patch + i, k * patch + j] for c in range(channels) for i in range(patch) for j in range(patch)]
            for r in range(rows)
            for k in range(columns)
        ]
        for b in range(batch)
    ]
    call(mine.cut, x, patch).gives(np.array(wanted))
