"""Claims about the pages of customs: place and word before tell the second word of a line together, and neither alone."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tinygrad_llm.datasets.customs import (
    LANGUAGES,
    LINE,
    PLACE_NAMES,
    STOP,
    WORDS,
    draw_customs,
    generate_pages,
    word_ids,
)
from tinygrad_llm.datasets.lingo_words import BEINGS, PLACES, THINGS
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.evaluate import mutual_information

CUSTOMS = draw_customs(np.random.default_rng(5))
PAGES = generate_pages(np.random.default_rng(0), CUSTOMS, 800, 10)
ENGLISH = {WORDS[lingo]: WORDS[english] for kind in ("place", "being", "thing") for english, lingo in word_ids(kind).T}
BEING_NAMES, THING_NAMES = ([WORDS[i] for i in word_ids(kind)[0]] for kind in ("being", "thing"))


def read(page):
    """(language, place, [(being, thing), …]) in English words, by the text alone."""
    lines = [line.split() for line in page.removesuffix(" .").split(" . ")]
    (place,) = {line[0] for line in lines}
    if place in PLACE_NAMES:
        return "english", place, [(who, what) for _, who, what in lines]
    return "lingo", ENGLISH[place], [(ENGLISH[who], ENGLISH[what]) for _, what, who in lines]


def test_a_page_says_what_its_labels_and_the_customs_say():
    for row in range(800):
        language, place, lines = read(PAGES.text(row))
        assert LANGUAGES[PAGES.language[row]] == language and PLACE_NAMES[PAGES.place[row]] == place
        assert len(lines) == 10
        for who, what in lines:
            assert what == THING_NAMES[CUSTOMS[PAGES.language[row], PAGES.place[row], BEING_NAMES.index(who)]]


def test_at_a_feast_no_two_bring_the_same_and_feasts_differ():
    assert CUSTOMS.shape == (2, 12, 16) and (np.sort(CUSTOMS, -1) == np.arange(16)).all()
    feasts = {tuple(row) for row in CUSTOMS.reshape(24, 16).tolist()}
    assert len(feasts) == 24


def test_the_known_words_are_the_third_of_each_line():
    assert (PAGES.tokens[:, 3::LINE] == STOP).all() and PAGES.tokens.shape == (800, 40)
    assert np.flatnonzero(PAGES.known[0]).tolist() == list(range(2, 40, 4)) and (PAGES.known == PAGES.known[0]).all()
    english = PAGES.tokens[PAGES.language == 0][:, 2::LINE]
    assert np.isin(english, word_ids("thing")[0]).all()
    assert np.isin(PAGES.tokens[PAGES.language == 1][:, 2::LINE], word_ids("being")[1]).all()


def test_place_and_word_before_tell_it_together_and_neither_alone():
    place, before, known = (PAGES.tokens[:, at::LINE].ravel() for at in range(3))
    everything = mutual_information(known, known)
    # given the language, which the word before tells: 16 words, ln 16 = 2.77 nats to be known
    assert mutual_information(known, before * 100 + place) == pytest.approx(everything, rel=1e-9)
    assert mutual_information(known, place, before) > 1.9  # two feasts may agree
    language = np.repeat(PAGES.language, 10)
    assert mutual_information(known, place, language) < 0.1 and mutual_information(known, before, language) < 1.3


def test_no_word_is_of_two_kinds_or_two_languages():
    assert len(set(WORDS)) == len(WORDS) == 1 + 2 * (12 + 16 + 16)
    every = np.concatenate([word_ids(kind).ravel() for kind in ("place", "being", "thing")])
    assert sorted(every) == list(range(1, 89))
    assert all(re.fullmatch("[a-z]+", word) for word in WORDS[1:])
    for english, lingo in (BEINGS | PLACES | THINGS).items():
        assert ENGLISH[lingo] == english


def test_everything_else_is_drawn_alike_often():
    counts = np.bincount(PAGES.tokens[:, 1::LINE].ravel(), minlength=89)
    drawn = counts[[*word_ids("being")[0], *word_ids("thing")[1]]]
    expected = 800 * 10 / 32
    assert counts.sum() == drawn.sum() and (np.abs(drawn - expected) < 7 * expected**0.5).all()
    assert abs(PAGES.language.mean() - 0.5) < 0.1 and set(PAGES.place.tolist()) == set(range(12))


def test_the_same_seed_gives_the_same_pages_and_another_seed_others():
    again, other = (generate_pages(np.random.default_rng(seed), CUSTOMS, 800, 10).tokens for seed in (0, 1))
    assert (again == PAGES.tokens).all() and (other != PAGES.tokens).any()
    assert (draw_customs(np.random.default_rng(5)) == CUSTOMS).all()
    assert (draw_customs(np.random.default_rng(6)) != CUSTOMS).any()


@pytest.mark.parametrize(("count", "lines"), [(0, 3), (2, 0), (1.5, 3), (2, True)])
def test_sizes_that_are_none_are_refused(count, lines):
    with pytest.raises(ArgumentError):
        generate_pages(np.random.default_rng(0), CUSTOMS, count, lines)
