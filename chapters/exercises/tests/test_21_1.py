"""21.1: what of a dialogue is learned."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.datasets.packing import shifted
from tinygrad_llm.tokenizer import CHATML

ASKED = [{"role": "user", "content": "say red"}]
ANSWERED = [*ASKED, {"role": "assistant", "content": "red"}]


def text_of(mine):
    def text_of_all_pieces(messages):
        return "".join(text for text, _ in mine.pieces(messages))

    return text_of_all_pieces


def learned_of(mine):
    def learned_pieces(messages):
        return [text for text, learned in mine.pieces(messages) if learned]

    return learned_pieces


def test_a_user_says_something(mine):
    call(text_of(mine), ASKED).gives("<|im_start|>user\nsay red<|im_end|>\n")


def test_of_a_user_nothing_is_learned(mine):
    call(learned_of(mine), ASKED).gives([])


def test_of_an_assistant_the_words_and_the_end_are_learned(mine):
    call(learned_of(mine), ANSWERED).gives(["red", "<|im_end|>"])


def test_every_answer_is_learned(mine):
    talk = [*ANSWERED, {"role": "user", "content": "say blue"}, {"role": "assistant", "content": "blue"}]
    call(learned_of(mine), talk).gives(["red", "<|im_end|>", "blue", "<|im_end|>"])


def test_each_message_has_four_pieces(mine):
    head, after = ("<|im_start|>assistant\n", False), ("\n", False)
    call(mine.pieces, ANSWERED[1:]).gives([head, ("red", True), ("<|im_end|>", True), after])


@given(st.lists(st.sampled_from(ASKED + ANSWERED[1:] + [{"role": "system", "content": "be kind"}]), max_size=4))
def test_the_text_is_that_of_the_package(mine, messages):
    call(text_of(mine), messages).gives(CHATML.text(messages))


def test_a_target_is_what_comes_next(mine):
    wanted = np.array([5, 6, 7]), np.array([6, 7, 8])
    call(mine.shifted, np.array([5, 6, 7, 8]), np.array([True] * 4)).gives(wanted)


def test_flags_are_those_of_the_targets(mine):
    wanted = np.array([5, 6, 7]), np.array([-100, 7, -100])
    call(mine.shifted, np.array([5, 6, 7, 8]), np.array([True, False, True, False])).gives(wanted)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=6))
def test_the_package_says_the_same(mine, example):
    ids, learned = (np.array(part) for part in zip(*example))
    call(mine.shifted, ids, learned).gives(shifted((ids, learned)))
