"""The fast reader of tales against the two that walk through the whole grammar."""

import math

import numpy as np
import pytest

from tinygrad_llm.datasets.tales import acceptance_rate, derivations, draw, draw_texts, generate_tales
from tinygrad_llm.datasets.tales_begun import begins
from tinygrad_llm.datasets.tales_read import SENTENCES, read_tale
from tinygrad_llm.errors import ArgumentError


def test_every_tale_is_whole_and_has_its_exact_probability():
    for split in ("train", "val", "test"):
        texts, log_ps = draw_texts(np.random.default_rng(3), 300, split)
        for text, log_p in zip(texts, log_ps + math.log(acceptance_rate(split))):
            reading = read_tale(text)
            assert reading.whole and reading.right == SENTENCES and reading.ends[-1] == len(text)
            assert reading.log_probability == pytest.approx(log_p, abs=1e-10)


def test_what_was_named_is_what_the_generator_named():
    for seed in range(200):
        story, _ = draw(np.random.default_rng(seed))
        assert read_tale(story.text).entities == story.entities


@pytest.mark.parametrize("sentences", [1, 2, 3, 4, 6])
def test_a_beginning_has_the_probability_that_a_tale_begins_so(sentences):
    for text in draw_texts(np.random.default_rng(4), 4)[0]:
        begun = text[: read_tale(text).ends[sentences - 1]]
        reading = read_tale(begun, sentences)
        assert reading.whole and reading.right == sentences
        # `begins` cannot see that a sentence ends, but a tale goes on with a space
        assert math.exp(reading.log_probability) == pytest.approx(begins(begun + " "), rel=1e-10)


def test_beginnings_of_one_sentence_have_probabilities_that_sum_to_one():
    """By importance: the mean of 1 / (p · number of texts) over draws is 1 where every text has its p."""
    texts, _ = draw_texts(np.random.default_rng(5), 2000)
    ps = [math.exp(read_tale(text[: read_tale(text).ends[0]], 1).log_probability) for text in texts]
    assert set(np.round(1 / np.array(ps))) == {4 * 24 * 6 * 4 * 10 * 6 * 12}  # all are equally probable


def corrupted(text, rng):
    """The text with one word exchanged by another one of it, or left out, or said twice."""
    words = text.split(" ")
    i, j = rng.integers(0, len(words), 2)
    way = rng.integers(3)
    if way == 0:
        words[i] = words[j]
    else:
        words[i : i + 1] = [words[i]] * (0 if way == 1 else 2)
    return " ".join(words)


def test_a_word_changed_is_judged_as_the_walk_through_the_grammar_judges_it():
    rng, told = np.random.default_rng(6), 0
    for text in draw_texts(rng, 60)[0]:
        other = corrupted(text, rng)
        ways, reading = derivations(other), read_tale(other)
        told += bool(ways)
        assert reading.whole == bool(ways)
        assert math.exp(reading.log_probability) == pytest.approx(sum(ways), rel=1e-10, abs=0)
        assert bool(reading.entities) == reading.whole
        if reading.ends:  # as far as it is right, some tale begins so; one word further, none does
            assert begins(other[: reading.ends[-1]]) > 0
    assert told < 30


def test_it_is_right_as_far_as_the_first_mistake():
    text = (
        "On a cold evening Mia walked to the river, and her red cup came along. Tom was there already, playing with a "
        'cat. "I have waited for you," said Tom. Tom had a pear and a wish.'
    )
    assert read_tale(text, 4).whole and read_tale(text).right == 4 and not read_tale(text).whole
    for old, new, right in (
        ("On a", "On an", 0),
        ("her red", "his red", 0),
        ("a cat", "a cow", 1),
        ("Tom was", "Mia was", 1),
        ("said Tom", "said Ben", 2),
        ("Tom had", "Mia had", 3),
        ("a pear", "a pair", 3),
    ):
        assert old in text and read_tale(text.replace(old, new, 1), 4).right == right, new
        assert not read_tale(text.replace(old, new, 1), 4).whole
    assert (
        not read_tale(text + " ", 4).whole
        and not read_tale(text + "\n", 4).whole
        and not read_tale(" " + text, 4).whole
    )


def test_a_plot_for_two_of_one_sex_has_no_friend_of_the_other():
    begun = "On a cold evening Mia walked to the river, and her red cup came along. {} sat on the ground and talked to a cat."
    went_on = ' "I have waited for you," said {0}. {0} had no toy at all.'
    for friend, right in (("Rosa", 4), ("Tom", 3)):
        assert read_tale(begun.format(friend) + went_on.format(friend), 4).right == right


def test_nothing_is_no_tale():
    for text in ("", " ", "Tom", "\n\n"):
        assert read_tale(text) == read_tale(text, 1)
        assert read_tale(text).right == 0 and read_tale(text).log_probability == -math.inf


@pytest.mark.parametrize("sentences", [0, 9, 1.5])
def test_a_number_of_sentences_that_no_tale_has_is_refused(sentences):
    with pytest.raises(ArgumentError, match="sentences"):
        read_tale("Tom", sentences)


def test_all_tales_of_the_corpus_are_read():
    assert all(read_tale(tale.text).whole for tale in generate_tales(counts={"train": 40, "val": 5, "test": 5}))
