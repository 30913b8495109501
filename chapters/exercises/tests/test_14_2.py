"""14.2: hide words. Nothing here depends on the order in which numbers are drawn.

Shares are of thousands of tokens and rounded to tenths. The right ones are more than 5.5 standard deviations away from
where they would be rounded another way: not once in ten million seeds.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.course.exercises.show import Seeded, Spelled

PAD, CLS, SEP, MASK = range(4)
WORDS = [4, 5, 6, 7, 8]
SOME = np.array([[CLS, 5, 4, SEP, 8, 6, SEP], [CLS, 7, SEP, 5, 5, SEP, PAD]])
TARGETS = np.array([[-100, 5, 4, -100, 8, 6, -100], [-100, 7, -100, 5, 5, -100, -100]])
ALL_WORDS = Spelled("np.tile([4, 5, 6, 7, 8], (40, 20))")
FOURS = Spelled("np.full((40, 100), 4)")


def hide(mine, tokens, seed=0, **options):
    return call(mine.hide_tokens, tokens, Seeded(seed), mask_id=MASK, vocab_size=9, special=(PAD, CLS, SEP), **options)


def fates(tokens):
    """Of the chosen: the shares that became [MASK], became another word, and stayed."""

    def shares(answer):
        hidden, targets = answer
        chosen = targets != -100
        kinds = hidden == MASK, (hidden != MASK) & (hidden != tokens), hidden == tokens
        return np.round([kind[chosen].mean() for kind in kinds], 1) + 0.0

    return ", the shares of the chosen that became [MASK], another word, what they were", shares


def test_nothing_is_chosen(mine):
    hide(mine, SOME, rate=0.0, masked=1.0, random=0.0).gives((SOME, np.full((2, 7), -100)))


def test_every_word_is_chosen_and_no_special_token(mine):
    hidden = np.array([[CLS, 3, 3, SEP, 3, 3, SEP], [CLS, 3, SEP, 3, 3, SEP, PAD]])
    hide(mine, SOME, rate=1.0, masked=1.0, random=0.0).gives((hidden, TARGETS))


def test_what_stays_as_it_is_is_named_too(mine):
    hide(mine, SOME, rate=1.0, masked=0.0, random=0.0).gives((SOME, TARGETS))


def test_a_mask_that_is_there_already_hides_no_word(mine):
    hide(mine, np.array([[5, MASK]]), rate=1.0, masked=1.0, random=0.0).gives(
        (np.array([[3, 3]]), np.array([[5, -100]]))
    )
    hide(mine, np.array([[5, MASK]]), rate=1.0, masked=0.0, random=0.0).gives(
        (np.array([[5, 3]]), np.array([[5, -100]]))
    )


def test_special_tokens_may_have_any_ids(mine):
    # 0, 1, 2, 4, 6 and 7 are the words, and `special` is a list here
    others = {"mask_id": 5, "vocab_size": 9, "special": [8, 3]}
    call(mine.hide_tokens, np.array([[0, 8, 3, 5, 1, 7]]), Seeded(0), **others, rate=1.0, masked=1.0, random=0.0).gives(
        (np.array([[5, 8, 3, 5, 5, 5]]), np.array([[0, -100, -100, -100, 1, 7]]))
    )
    two_words = Spelled("np.tile([0, 1], (40, 50))")
    made = call(mine.hide_tokens, two_words, Seeded(0), **others, rate=1.0, masked=0.0, random=1.0)
    made.then(", what is in the first", lambda answer: np.unique(answer[0])).gives(np.array([0, 1, 2, 4, 6, 7]))


def test_what_became_another_word_is_named_too(mine):
    def named(answer):
        return bool(((answer[0] == ALL_WORDS.make()) | (answer[1] != -100)).all())

    made = hide(mine, ALL_WORDS, rate=1.0, masked=0.0, random=1.0)
    made.then(": has each place that was changed a target?", named).gives(True)


def test_what_was_not_chosen_stays(mine):
    def changed(answer):
        return bool((answer[0] != ALL_WORDS.make())[answer[1] == -100].any())

    hide(mine, ALL_WORDS, rate=0.5).then(": is a place changed that has no target?", changed).gives(False)


def test_targets_are_what_stood_there(mine):
    def right(answer):
        return bool(((answer[1] == -100) | (answer[1] == ALL_WORDS.make())).all())

    hide(mine, ALL_WORDS, rate=0.5).then(": is each target -100 or the token?", right).gives(True)


def test_eight_in_ten_are_masked_one_is_another_word_and_one_stays(mine):
    # of the tenth that is drawn anew a fifth is drawn as it was: 0.8, 0.08, 0.12
    hide(mine, ALL_WORDS, rate=1.0).then(*fates(ALL_WORDS.make())).gives(np.array([0.8, 0.1, 0.1]))


def test_other_probabilities(mine):
    # of the quarter that is drawn anew a fifth is drawn as it was: 0.4, 0.2, 0.4
    made = hide(mine, ALL_WORDS, rate=1.0, masked=0.4, random=0.25)
    made.then(*fates(ALL_WORDS.make())).gives(np.array([0.4, 0.2, 0.4]))


def test_whether_and_how_are_two_questions(mine):
    # not all are chosen, and still eight in ten of those are masked
    made = hide(mine, ALL_WORDS, rate=0.8).then(*fates(ALL_WORDS.make()))
    made.then(", the first of them", lambda shares: shares[0]).gives(0.8)


def test_not_one_word_is_put_in_everywhere(mine):
    made = hide(mine, FOURS, rate=1.0, masked=0.0, random=1.0)
    made.then(": is it one word everywhere?", lambda answer: bool((answer[0] == answer[0][0, 0]).all())).gives(False)


def test_words_are_drawn_for_each_row(mine):
    made = hide(mine, FOURS, rate=1.0, masked=0.0, random=1.0)
    made.then(": are all rows the same?", lambda answer: bool((answer[0] == answer[0][0]).all())).gives(False)


def test_any_word_is_put_in_and_nothing_else(mine):
    made = hide(mine, ALL_WORDS, rate=1.0, masked=0.0, random=1.0)
    made.then(", what is in the first", lambda answer: np.unique(answer[0])).gives(np.array(WORDS))


def test_each_word_is_put_in_alike(mine):
    made = hide(mine, FOURS, rate=1.0, masked=0.0, random=1.0)
    counts = made.then(", the share of each id", lambda answer: np.bincount(answer[0].ravel(), minlength=9) / 4000)
    counts.then(", in tenths", lambda shares: np.round(shares, 1)).gives(
        np.array([0, 0, 0, 0, 0.2, 0.2, 0.2, 0.2, 0.2])
    )


def test_fifteen_in_a_hundred_are_chosen(mine):
    # the bound is six standard deviations
    made = hide(mine, ALL_WORDS).then(", the share of targets", lambda answer: (answer[1] != -100).mean())
    made.then(": is it 0.15, to 0.035?", lambda share: bool(abs(share - 0.15) < 0.035)).gives(True)


def test_rows_have_different_places(mine):
    made = hide(mine, ALL_WORDS, rate=0.5).then(", where targets are", lambda answer: answer[1] != -100)
    made.then(": are all rows the same?", lambda chosen: bool((chosen == chosen[0]).all())).gives(False)


def test_some_rows_have_more_than_others(mine):
    made = hide(mine, ALL_WORDS, rate=0.5).then(", targets in each row", lambda answer: (answer[1] != -100).sum(1))
    made.then(": are all the same?", lambda counts: bool((counts == counts[0]).all())).gives(False)


def test_how_many_is_left_to_chance(mine):
    # the same number five times: not once in ten million
    def how_many_with_seeds(tokens, seeds, **options):
        answers = [mine.hide_tokens(tokens, np.random.default_rng(seed), **options) for seed in seeds]
        return [int((targets != -100).sum()) for _, targets in answers]

    options = {"mask_id": MASK, "vocab_size": 9, "special": (PAD, CLS, SEP), "rate": 0.5}
    made = call(how_many_with_seeds, ALL_WORDS, (0, 1, 2, 3, 4), **options)
    made.then(": are all the same?", lambda counts: len(set(counts)) == 1).gives(False)


def test_the_rng_decides(mine):
    def twice(tokens, seeds, **options):
        one, two = (mine.hide_tokens(tokens, np.random.default_rng(seed), **options) for seed in seeds)
        return all(np.array_equal(a, b) for a, b in zip(one, two))

    twice.__name__ = "are_equal_with_seeds"
    options = {"mask_id": MASK, "vocab_size": 9, "special": (PAD, CLS, SEP), "rate": 0.5}
    call(twice, ALL_WORDS, (3, 3), **options).gives(True)
    call(twice, ALL_WORDS, (3, 4), **options).gives(False)


@given(st.lists(st.lists(st.integers(0, 8), min_size=3, max_size=3), min_size=1, max_size=3), st.integers(0, 99))
def test_of_any_text(mine, rows, seed):
    tokens = np.array(rows)
    words = tokens > MASK

    def of_words(answer):
        return bool((words | ((answer[1] == -100) & (answer[0] == tokens))).all())

    def to_be_named(answer):
        return bool(((answer[1] == tokens) | ((answer[1] == -100) & (answer[0] == tokens))).all())

    made = hide(mine, tokens, seed, rate=0.5)
    made.then(": are the special tokens left alone?", of_words).gives(True)
    made.then(": is each place as it was, or named?", to_be_named).gives(True)
