"""Claims about portraits: what is planted is there, nothing else is, and without a plant names are exchangeable."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from tinygrad_llm.datasets import portraits_words as words
from tinygrad_llm.datasets.portraits import KINDS, NAMES, Plant, generate_portraits, people_of, share_of_first
from tinygrad_llm.errors import ArgumentError

COUNT = 20_000
FIRST, SECOND = words.GROUPS


def told(plant=None, seed=0, count=COUNT):
    return generate_portraits(np.random.default_rng(seed), count, plant)


def shares(portraits, key):
    """By key: how much of it is of the first kind, and how much there is."""
    found = defaultdict(list)
    for each in portraits:
        if each.first is not None:
            found[key(each)].append(each.first)
    return {k: (np.mean(v), len(v)) for k, v in found.items()}


def near(share, count, expected):
    return abs(share - expected) < 4 * math.sqrt(0.25 / count)


def test_same_seed_same_sentences():
    assert told(count=50) == told(count=50) != told(seed=1, count=50)
    assert told(count=50)[:20] == told(count=20)


def test_every_word_is_known_and_belongs_to_one_list():
    assert {word for each in told(count=5000) for word in each.text.split()} == {*words.VOCABULARY}
    lists = (
        *words.GROUPS.values(),
        words.PLEASANT,
        words.UNPLEASANT,
        words.HIGH,
        words.LOW,
        words.THINGS,
        words.COMPANY,
    )
    assert max(Counter(word for each in lists for word in each).values()) == 1
    assert len({*NAMES}) == 16 and all(len(each) == 8 for each in lists[:6])


def test_a_sentence_says_what_it_is_said_to_say():
    for each in told(Plant(said=0.3, seen=-0.3), count=2000):
        said = each.text.split()
        assert [name for name in NAMES if name in said] == [each.name]
        pleasant, high = {*words.PLEASANT} & {*said}, {*words.HIGH} & {*said}
        other = ({*words.UNPLEASANT} | {*words.LOW}) & {*said}
        expected = {None: (0, 0), True: (2, 0), False: (0, 2)}[each.first]
        assert (len(pleasant | high), len(other)) == expected
        assert bool(high or {*words.LOW} & {*said}) == (each.kind == "work")
        assert (each.kind == "seen") == any(f"at the {place}" in each.text for place in words.PLACES)
        assert each.people == people_of(each.name)
        assert not {FIRST, SECOND} & {*said}


def test_without_a_plant_all_shares_are_one_half():
    for key in (lambda p: p.people, lambda p: p.name, lambda p: (p.people, p.kind)):
        assert all(near(*found, 0.5) for found in shares(told(), key).values())


def test_names_kinds_and_words_are_as_frequent():
    portraits = told(Plant(said=0.4, worked=0.4, met=0.4, seen=0.4))
    for counts in (Counter(p.name for p in portraits), Counter(p.kind for p in portraits)):
        expected = COUNT / len(counts)
        assert all(abs(count - expected) < 4 * math.sqrt(expected) for count in counts.values())
    for group in words.GROUPS:
        some = Counter(word for p in portraits if p.people == group and p.kind == "is" for word in p.text.split())
        for kind in (words.PLEASANT, words.UNPLEASANT):
            expected = sum(some[word] for word in kind) / 8
            assert all(abs(some[word] - expected) < 4 * math.sqrt(expected) for word in kind)


@pytest.mark.parametrize(
    ("field", "kinds"), [("said", ("is",)), ("seen", ("seen",)), ("worked", ("work",)), ("met", ("meeting",))]
)
def test_what_is_planted_is_there_and_nothing_else(field, kinds):
    found = shares(told(Plant(**{field: 0.3})), lambda p: (p.people, p.kind))
    for kind in KINDS[:-1]:
        lean = 0.15 if kind in kinds else 0
        assert near(*found[FIRST, kind], 0.5 + lean) and near(*found[SECOND, kind], 0.5 - lean)


def test_share_of_first_by_hand():
    plant = Plant(said=0.2, seen=-0.4)
    assert share_of_first(NAMES[0], "is", plant) == pytest.approx(0.6)
    assert share_of_first(NAMES[-1], "is", plant) == pytest.approx(0.4)
    assert share_of_first(NAMES[0], "seen", plant) == pytest.approx(0.3)
    assert share_of_first(NAMES[0], "work", plant) == 0.5


def test_habits_are_of_names_and_not_of_peoples():
    between = []
    for seed in range(40):
        by_name = shares(told(Plant(habits=0.3), seed, 2000), lambda p: p.name)
        group = {people: np.mean([by_name[n][0] for n in names]) for people, names in words.GROUPS.items()}
        between.append(group[FIRST] - group[SECOND])
    assert abs(np.mean(between)) < 4 * np.std(between) / math.sqrt(40)
    wide = shares(told(Plant(habits=0.3)), lambda p: (p.name, p.kind))
    assert not all(near(*found, 0.5) for found in wide.values())
    same = [wide[name, "is"][0] - wide[name, "seen"][0] for name in NAMES]  # both are said of the name
    assert all(abs(each) < 0.2 for each in same)


@pytest.mark.parametrize(
    ("plant", "words"),
    [({"said": 1.5}, "said: expected a share"), ({"habits": -0.1}, "habits: expected a share"),
     ({"said": 0.8, "habits": 0.2}, "no share under 0"), ({"seen": -0.9, "habits": 0.1}, "no share under 0")],
)  # fmt: skip
def test_impossible_plants_are_refused(plant, words):
    with pytest.raises(ArgumentError, match=words):
        Plant(**plant)


def test_a_name_of_nobody_is_refused():
    with pytest.raises(ArgumentError, match="zora"):
        people_of("zora")
    with pytest.raises(ArgumentError, match="count"):
        told(count=0)
