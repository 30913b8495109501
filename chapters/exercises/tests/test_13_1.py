"""13.1: teacher forcing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

START, END, PAD = 1, 2, 0


def test_one_text(mine):
    read, say = np.array([[1, 7, 8, 9]]), np.array([[7, 8, 9, 2]])
    call(mine.teacher_forcing, [[7, 8, 9]], START, END, PAD).gives((read, say))


def test_a_shorter_text_is_filled_up(mine):
    read, say = np.array([[1, 7, 8, 9], [1, 5, 0, 0]]), np.array([[7, 8, 9, 2], [5, 2, -100, -100]])
    call(mine.teacher_forcing, [[7, 8, 9], [5]], START, END, PAD).gives((read, say))


def test_an_empty_text_still_ends(mine):
    call(mine.teacher_forcing, [[], [6]], START, END, PAD).gives(
        (np.array([[1, 0], [1, 6]]), np.array([[2, -100], [6, 2]]))
    )


def test_other_tokens_for_start_end_and_padding(mine):
    call(mine.teacher_forcing, [[4], [4, 5]], 9, 8, 7).gives(
        (np.array([[9, 4, 7], [9, 4, 5]]), np.array([[4, 8, -100], [4, 5, 8]]))
    )


@given(st.lists(st.lists(st.integers(3, 9), max_size=4), min_size=1, max_size=3))
def test_what_is_said_is_read_next(mine, texts):
    longest = max(map(len, texts)) + 1
    rows = [[START, *text, *[PAD] * (longest - 1 - len(text))] for text in texts]
    said = [[*text, END, *[-100] * (longest - 1 - len(text))] for text in texts]
    call(mine.teacher_forcing, texts, START, END, PAD).gives((np.array(rows), np.array(said)))
