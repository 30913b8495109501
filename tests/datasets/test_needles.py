"""Claims about the stories of needles: the answer stands in one line, and no cheap rule finds it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tinygrad_llm.datasets.lingo_words import BEINGS, THINGS
from tinygrad_llm.datasets.needles import LINE, THING_IDS, WORDS, generate_needles
from tinygrad_llm.datasets.whereabouts import CHILDREN
from tinygrad_llm.errors import ArgumentError

LINES, COUNT = 16, 1500
ONE, FOUR = (generate_needles(np.random.default_rng(0), COUNT, LINES, hiders=hiders) for hiders in (1, 4))


def read(story):
    """[(who, did, thing), …], by the text alone."""
    lines = [tuple(line.split()) for line in story.removesuffix(" .").split(" . ")]
    assert all(len(line) == 3 for line in lines)
    return lines


def hidden(lines):
    return [(at, who, thing) for at, (who, did, thing) in enumerate(lines) if did == "hid"]


@pytest.mark.parametrize(("stories", "hiders"), [(ONE, 1), (FOUR, 4)], ids=["one", "four"])
def test_what_is_asked_for_stands_in_one_line_before(stories, hiders):
    for row in range(400):
        lines = read(stories.text(row))
        told, asked = hidden(lines)[:hiders], hidden(lines)[hiders:]
        assert len(lines) == LINES and [at for at, *_ in asked] == list(range(LINES - hiders, LINES))
        assert len({who for _, who, _ in told}) == len({thing for *_, thing in told}) == hiders
        assert {pair[1:] for pair in asked} == {pair[1:] for pair in told}
        (needle,) = [at for at, *pair in told if tuple(pair) == asked[-1][1:]]
        assert stories.needle[row] == needle
    places = np.zeros(LINES * LINE, bool)
    places[(LINES - hiders) * LINE + 2 :: LINE] = True
    assert (stories.asked == places).all() and np.isin(stories.tokens[stories.asked], THING_IDS).all()


def test_hay_is_of_beings_that_hide_nothing():
    for row in range(400):
        for who, did, thing in read(FOUR.text(row)):
            assert (did == "hid") == (who in CHILDREN) != (who in BEINGS) and thing in THINGS
    assert len(set(WORDS)) == len(WORDS)


def test_no_cheap_rule_finds_it():
    told = [read(ONE.text(row)) for row in range(COUNT)]
    answers = [lines[-1][2] for lines in told]
    rules = {
        "most frequent": [Counter(thing for *_, thing in lines[:-1]).most_common(1)[0][0] for lines in told],
        "last thing": [lines[-2][2] for lines in told],
        "first thing": [lines[0][2] for lines in told],
    }
    for name, said in rules.items():  # the needle is one of 15 lines, and counts as one mention
        assert np.mean([a == b for a, b in zip(said, answers)]) < {"most frequent": 0.26}.get(name, 0.19), name


def test_of_four_the_last_told_is_asked_for_last_once_in_four():
    said = [hidden(read(FOUR.text(row))) for row in range(COUNT)]
    assert 0.2 < np.mean([told[3][2] == told[-1][2] for told in said]) < 0.3


@pytest.mark.parametrize(("depth", "line"), [(0.0, 0), (0.5, 6), (1.0, 11)])
def test_a_needle_stands_at_its_depth_and_the_others_anywhere_else(depth, line):
    stories = generate_needles(np.random.default_rng(1), 400, LINES, depth=depth, hiders=4)
    assert (stories.needle == line).all()
    others = Counter(at for row in range(400) for at, *_ in hidden(read(stories.text(row)))[:4])
    assert others[line] == 400 and set(others) == set(range(12))
    assert all(60 < count < 160 for at, count in others.items() if at != line)  # 3 of 11 lines: 109
    for row in range(100):
        lines = read(stories.text(row))
        assert lines[line] == lines[-1]


def test_without_a_depth_it_stands_anywhere():
    counts = np.bincount(ONE.needle, minlength=15)
    assert len(counts) == 15 and counts.min() > 60 and counts.max() < 145


def test_each_child_hides_each_thing_alike_often():
    pairs = Counter(hidden(read(ONE.text(row)))[0][1:] for row in range(COUNT))
    expected = COUNT / (len(CHILDREN) * len(THINGS))
    assert len(pairs) > 140 and all(abs(n - expected) < 5 * expected**0.5 for n in pairs.values())


def test_the_same_seed_gives_the_same_stories_and_another_seed_others():
    again, other = (generate_needles(np.random.default_rng(seed), COUNT, LINES).tokens for seed in (0, 1))
    assert (again == ONE.tokens).all() and (other != ONE.tokens).any()


def test_what_cannot_be_told_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ArgumentError, match="lines: expected at least 8, got 7"):
        generate_needles(rng, 1, 7, hiders=4)
    with pytest.raises(ArgumentError, match="hiders: expected 1 to the 12 children, got 13"):
        generate_needles(rng, 1, 40, hiders=13)
    for depth in (-0.1, 1.5):
        with pytest.raises(ArgumentError, match="depth: expected None, or from 0 to 1"):
            generate_needles(rng, 1, 20, depth=depth)
    with pytest.raises(ArgumentError, match="count"):
        generate_needles(rng, 0, 20)
    assert generate_needles(rng, 1, 8, hiders=4).tokens.shape == (1, 32)
    assert generate_needles(rng, 1, 24, hiders=12).tokens.shape == (1, 96)
    assert generate_needles(rng, 2, 2, depth=1.0).needle.tolist() == [0, 0]
