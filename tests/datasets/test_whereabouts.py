"""Claims about the stories of who is where: what is told is true, what is false is false, and habits are held out."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from tinygrad_llm.datasets.whereabouts import CHILDREN, PLACES, USUAL, generate_whereabouts, keeps_a_habit
from tinygrad_llm.errors import ArgumentError

TRAIN, TEST = (generate_whereabouts(np.random.default_rng(0), 600, split) for split in ("train", "test"))


def told(text):
    """Child -> place of each sentence or clause, the last one counting; read by the words alone."""
    where = {}
    for part in re.split(r" \.| and ", text):
        words = part.split()
        if words:
            (child,), (place,) = ([w for w in words if w in known] for known in (CHILDREN, PLACES))
            where[child] = place
    return where


def test_a_story_says_what_it_knows():
    for story in (*TRAIN, *TEST):
        assert told(" ".join(story.events)) == told(story.report) == story.last
        assert told(" ".join(story.events[:3])) == story.first and tuple(story.first) == story.children
        differ = {child for child in story.children if story.first[child] != story.last[child]}
        assert differ == ({story.moved} if story.moved else set()) and len(story.events) == 3 + len(differ)
        assert len(set(story.first.values()) | set(story.last.values())) == 3 + len(differ)  # never two in one place


def test_a_false_report_is_false_and_speaks_of_the_same():
    for story in (*TRAIN, *TEST):
        exchanged = told(story.false["exchanged"])
        assert sum(exchanged[child] != story.last[child] for child in story.children) == 2
        assert sorted(exchanged.values()) == sorted(story.last.values())
        assert set(story.false) == {"exchanged", *(["stale"] if story.moved else [])}
        assert not story.moved or told(story.false["stale"]) == story.first != story.last


def test_every_sentence_has_six_tokens_and_every_clause_five():
    for story in TRAIN:
        assert {len(event.split()) for event in story.events} == {6}
        assert {len(part.split()) for part in story.report.removesuffix(" .").split(" and ")} == {5}


def test_somebody_keeps_to_a_habit_in_each_training_story_and_nobody_in_any_test_story():
    def kept(story):
        return [child for where in (story.first, story.last) for child in where if USUAL[child] == where[child]]

    assert all(map(kept, TRAIN)) and not any(map(kept, TEST))
    assert all(keeps_a_habit(s.first, s.last) for s in TRAIN) and not any(keeps_a_habit(s.first, s.last) for s in TEST)
    for sentence in (e for s in TEST for e in (*s.events, *s.report.split(" and "))):
        (child,), (place,) = ([w for w in sentence.split() if w in known] for known in (CHILDREN, PLACES))
        assert USUAL[child] != place  # read by the words alone


def test_a_child_goes_more_often_to_its_own_place_than_not_and_each_place_is_somebodys():
    assert set(USUAL) == set(CHILDREN) and set(USUAL.values()) == set(PLACES)
    stories = generate_whereabouts(np.random.default_rng(1), 3000)
    facts = [fact for s in stories for fact in s.first.items()]
    assert 0.6 < np.mean([USUAL[child] == place for child, place in facts]) < 0.75
    elsewhere = Counter(place for child, place in facts if USUAL[child] != place)
    assert set(elsewhere) == set(PLACES)


def test_every_child_goes_everywhere_in_either_split():
    for stories, barred in ((TRAIN, 0), (TEST, len(CHILDREN))):  # its own place is one of them
        assert len({pair for s in stories for pair in s.first.items()}) == len(CHILDREN) * len(PLACES) - barred


def test_every_child_place_and_form_is_drawn_and_half_go_on():
    stories = generate_whereabouts(np.random.default_rng(1), 3000)
    assert abs(np.mean([s.moved is not None for s in stories]) - 0.5) < 0.05
    counts = Counter(child for s in stories for child in s.children)
    assert set(counts) == set(CHILDREN) and min(counts.values()) > 0.85 * 9000 / 12
    assert {e.split()[1] for s in stories for e in s.events if e.split()[0] in CHILDREN} == {
        "went",
        "ran",
        "sailed",
        "moved",
        "left",
    }
    movers = Counter(s.children.index(s.moved) for s in stories if s.moved)
    assert len(movers) == 3 and min(movers.values()) > 0.85 * sum(movers.values()) / 3
    order = Counter(s.children.index(next(w for w in s.report.split() if w in CHILDREN)) for s in stories)
    assert (
        len(order) == 3 and min(order.values()) > 0.85 * 3000 / 3
    )  # the report's order says nothing about the events'


def test_a_seed_gives_the_same_stories_and_another_one_others():
    again, other = (generate_whereabouts(np.random.default_rng(seed), 20) for seed in (0, 2))
    assert again == TRAIN[:20] and other != again


def test_another_split_is_refused():
    with pytest.raises(ArgumentError, match="split: expected train or test, got 'val'"):
        generate_whereabouts(np.random.default_rng(0), 1, "val")
