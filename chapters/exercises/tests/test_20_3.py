"""20.3: a picture among words."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

TABLE = np.arange(10.0)[:, None] * np.array([[1.0, 10.0]])  # the word 3 is (3, 30)
PATCHES = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
IMAGE = 9


def test_the_patches_stand_where_the_image_token_stood(mine):
    wanted = np.array([[4.0, 40.0], [0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [7.0, 70.0], [8.0, 80.0]])
    call(mine.splice, [4, IMAGE, 7, 8], 3, TABLE, PATCHES, IMAGE).then("[0]", lambda made: made[0]).gives(wanted)


def test_a_text_may_begin_with_the_picture(mine):
    wanted = np.array([[0.1, 0.2], [0.3, 0.4], [5.0, 50.0]])
    call(mine.splice, [IMAGE, 5], 1, TABLE, PATCHES[:2], IMAGE).then("[0]", lambda made: made[0]).gives(wanted)


def test_the_image_token_may_be_any_number(mine):
    wanted = np.array([[4.0, 40.0], [0.1, 0.2], [0.3, 0.4], [7.0, 70.0]])
    call(mine.splice, [4, 2, 7], 2, TABLE, PATCHES[:2], 2).then("[0]", lambda made: made[0]).gives(wanted)


def test_every_patch_has_a_place_of_its_own(mine):
    made = call(mine.splice, [4, IMAGE, 7, 8], 3, TABLE, PATCHES, IMAGE).then("[1]", lambda made: made[1])
    made.gives(np.array([0, 1, 2, 3, 4, 5]))


def test_the_answer_alone_is_learned_each_word_one_place_before_it(mine):
    # 4 <picture> 7 8 6, the answer is 8 6: named at the places of 7 and 8
    made = call(mine.splice, [4, IMAGE, 7, 8, 6], 3, TABLE, PATCHES, IMAGE).then("[2]", lambda made: made[2])
    made.gives(np.array([-100, -100, -100, -100, 8, 6, -100]))


def test_an_answer_right_behind_the_picture_is_named_at_its_last_patch(mine):
    made = call(mine.splice, [4, IMAGE, 7, 8], 2, TABLE, PATCHES, IMAGE).then("[2]", lambda made: made[2])
    made.gives(np.array([-100, -100, -100, 7, 8, -100]))


def test_an_answer_of_one_word(mine):
    made = call(mine.splice, [IMAGE, 7, 5], 2, TABLE, PATCHES[:1], IMAGE).then("[2]", lambda made: made[2])
    made.gives(np.array([-100, 5, -100]))


@given(st.lists(st.integers(0, 8), max_size=3), st.lists(st.integers(0, 8), max_size=3),
       st.lists(st.integers(0, 8), min_size=1, max_size=3), st.integers(1, 4))  # fmt: skip
def test_word_by_word(mine, before, question, answer, patches):
    features = np.arange(2.0 * patches).reshape(patches, 2) - 50
    x = [TABLE[w] for w in before] + list(features) + [TABLE[w] for w in question + answer]
    learned = [-100] * (len(x) - len(answer)) + answer  # at its own place
    targets = [*learned[1:], -100]  # and one before
    tokens = [*before, IMAGE, *question, *answer]
    call(mine.splice, tokens, len(before) + 1 + len(question), TABLE, features, IMAGE).gives(
        (np.array(x), np.arange(len(x)), np.array(targets))
    )
