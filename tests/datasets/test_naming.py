"""Claims about the pages of names: each name is told by the lines before alone, and habits are held out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tinygrad_llm.datasets.naming import KINDS, NAMES, USUAL, generate_naming, keeps_a_habit
from tinygrad_llm.errors import ArgumentError

TRAIN, TEST = (generate_naming(np.random.default_rng(0), 600, 24, split) for split in ("train", "test"))
KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}


def read(page):
    """(word, name) of each line, by the text alone."""
    lines = [line.split() for line in page.text.removesuffix(" .").split(" . ")]
    assert all(len(line) == 2 for line in lines)
    return lines


def test_a_page_calls_words_of_one_kind_alike_and_no_two_kinds():
    for page in (*TRAIN, *TEST):
        told = {(KIND_OF[word], name) for word, name in read(page)}
        assert len({kind for kind, _ in told}) == len({name for _, name in told}) == len(told)
        assert told <= set(page.names.items()) and set(page.names) == set(KINDS)
        assert len(read(page)) == len(page.lines) == 24


def test_no_word_has_two_kinds_and_no_name_is_a_word():
    assert len(KIND_OF) == sum(map(len, KINDS.values())) == 48
    assert len(set(NAMES)) == 16 and not set(NAMES) & set(KIND_OF)


def test_some_kind_keeps_to_a_habit_on_each_training_page_and_none_on_any_test_page():
    def kept(page):
        return [word for word, name in read(page) if name in USUAL[KIND_OF[word]]]

    assert all(keeps_a_habit(page.names) for page in TRAIN) and not any(keeps_a_habit(page.names) for page in TEST)
    assert np.mean([bool(kept(page)) for page in TRAIN]) > 0.98  # its kind may have no line
    assert not any(map(kept, TEST))


def test_so_no_test_page_names_all_kinds_as_a_training_page_does():
    maps = {tuple(page.names[kind] for kind in KINDS) for page in TRAIN}
    assert not maps & {tuple(page.names[kind] for kind in KINDS) for page in TEST}


def test_each_kind_has_four_usual_names_of_its_own_and_gets_them_more_often_than_not():
    assert sorted(name for usual in USUAL.values() for name in usual) == sorted(NAMES)
    assert {len(usual) for usual in USUAL.values()} == {4}
    for kind in KINDS:
        assert 0.6 < np.mean([page.names[kind] in USUAL[kind] for page in TRAIN]) < 0.85
        assert {page.names[kind] for page in TRAIN} == set(NAMES)
        assert {page.names[kind] for page in TEST} == set(NAMES) - set(USUAL[kind])


def test_a_word_comes_again_on_training_pages_and_never_on_a_test_page():
    again = [len({word for word, _ in page.lines}) < 24 for page in TRAIN]
    assert np.mean(again) > 0.95
    assert all(len({word for word, _ in page.lines}) == 24 for page in TEST)


@pytest.mark.parametrize("pages", [TRAIN, TEST], ids=["train", "test"])
def test_every_word_is_drawn_alike_often(pages):
    counts = Counter(word for page in pages for word, _ in page.lines)
    expected = 600 * 24 / 48
    assert set(counts) == set(KIND_OF) and all(abs(n - expected) < 6 * expected**0.5 for n in counts.values())


def test_the_same_seed_gives_the_same_pages_and_another_seed_others():
    again, other = (generate_naming(np.random.default_rng(seed), 600, 24) for seed in (0, 1))
    assert again == TRAIN and other != TRAIN


def test_what_cannot_be_written_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ArgumentError, match="split: expected train or test, got 'val'"):
        generate_naming(rng, 1, 4, "val")
    with pytest.raises(ArgumentError, match="lines: expected at most 48, as many as there are words, got 49"):
        generate_naming(rng, 1, 49, "test")
    with pytest.raises(ArgumentError, match="lines: expected a whole number of at least 0, got -1"):
        generate_naming(rng, 1, -1)
    assert len(generate_naming(rng, 1, 60)[0].lines) == 60 and len(generate_naming(rng, 1, 48, "test")[0].lines) == 48
    assert generate_naming(rng, 1, 0)[0].text == ""
