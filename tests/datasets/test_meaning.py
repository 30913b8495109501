"""Claims about sentences and what they mean: what is right is right, what is wrong is wrong in one thing, and
combinations are held out. The oracle reads the words by rules of its own."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tinygrad_llm.datasets import meaning_words as words
from tinygrad_llm.datasets.meaning import (
    ORDERS,
    RIGHT,
    SPLITS,
    WRONG,
    Fact,
    Form,
    children_split,
    draw_fact,
    draw_form,
    generate_meanings,
    number_split,
    questions,
    read,
    say,
)
from tinygrad_llm.errors import ArgumentError, DataError

ITEMS = {split: generate_meanings(np.random.default_rng(0), 300, split) for split in SPLITS}
EVERY = [item for items in ITEMS.values() for item in items]
FACT = Fact("give", "lily", "tom", "three", "kites", "harbor", True)
DENIED = replace(FACT, happened=False)


@pytest.mark.parametrize(
    ("fact", "form", "text"),
    [
        (FACT, Form(), "lily gave tom three kites at the harbor ."),
        (FACT, Form("to", 1), "lily handed three kites to tom at the harbor ."),
        (FACT, Form("passive", 2), "three kites were given to tom by lily at the harbor ."),
        (FACT, Form("converse", 1, True), "at the harbor tom received three kites from lily ."),
        (FACT, Form(contrast="five"), "lily gave tom three kites at the harbor , not five ."),
        (DENIED, Form(contrast="five"), "lily did not give tom three kites at the harbor ."),
        (DENIED, Form("to", denial="never"), "lily never gave three kites to tom at the harbor ."),
        (DENIED, Form("passive", 1), "three kites were not handed to tom by lily at the harbor ."),
        (DENIED, Form("passive", denial="never"), "three kites were never given to tom by lily at the harbor ."),
        (DENIED, Form("converse"), "tom did not get three kites from lily at the harbor ."),
        (replace(FACT, verb="lend"), Form("converse", 1), "tom borrowed three kites from lily at the harbor ."),
    ],
)
def test_each_form_says_what_it_should(fact, form, text):
    assert say(fact, form) == text and read(text) == fact


def meant(text):
    """(giver, taker, number, thing, place, happened) by regular expressions, a form at a time."""
    text = re.sub(r" , not \w+ \.$", " .", text)
    match = re.search(r"at the (\w+) ?", text)
    text, place = text.replace(match[0], "", 1).removesuffix(".").strip(), match[1]
    happened = not re.search(r"\b(not|never)\b", text)
    for pattern, order in (
        (r"^(\w+) (\w+) were .* to (\w+) by (\w+)$", (3, 2, 0, 1)),
        (r"^(\w+) .* (\w+) (\w+) from (\w+)$", (3, 0, 1, 2)),
        (r"^(\w+) .* (\w+) (\w+) to (\w+)$", (0, 3, 1, 2)),
        (r"^(\w+) .* (\w+) (\w+) (\w+)$", (0, 1, 2, 3)),
    ):
        if found := re.match(pattern, text):
            return *(found.groups()[i] for i in order), place, happened
    raise AssertionError(text)


def facts_of(fact):
    return fact.giver, fact.taker, fact.number, fact.thing, fact.place, fact.happened


def test_what_is_right_says_the_fact_and_is_no_copy():
    for item in EVERY:
        texts = [item.reference, *item.right.values()]
        assert len(set(texts)) == len(texts)
        assert all(meant(text) == facts_of(item.fact) and read(text) == item.fact for text in texts)
        assert set(item.right) == set(RIGHT if item.fact.happened else RIGHT[:-1])


def test_each_kind_of_right_changes_what_its_name_says():
    at_first = lambda text: text.startswith("at the ")
    for item in EVERY:
        one, right = item.reference.split(), {kind: text.split() for kind, text in item.right.items()}
        assert {
            at_first(text) == at_first(item.reference) for kind, text in item.right.items() if kind != "reordered"
        } == {True}
        assert at_first(item.right["reordered"]) != at_first(item.reference)
        assert ("by" in right["passive"]) and ("from" in right["converse"])
        assert set(one) - set(right["reordered"]) <= {"to"} and set(right["reordered"]) - set(one) <= {"to"}
        assert len({*one} - {*right["another word"]}) == (1 if item.fact.happened else 3 if "did" in one else 2)
        if item.fact.happened:
            assert right["contrast"] == [*one[:-1], ",", "not", right["contrast"][-2], "."]


def test_what_is_wrong_is_wrong_in_one_thing():
    for item in EVERY:
        fact = item.fact
        for kind in WRONG:
            for text in (item.wrong[kind], *(item.twins[right, kind] for right in item.right)):
                said = read(text)
                assert meant(text) == facts_of(said)
                if kind == "negated":
                    assert said == replace(fact, happened=not fact.happened)
                elif kind == "exchanged":
                    assert said == replace(fact, giver=fact.taker, taker=fact.giver)
                else:
                    assert said.number != fact.number and said == replace(fact, number=said.number)
        assert set(item.twins) == {(right, wrong) for right in item.right for wrong in WRONG}


def test_a_twin_has_the_form_of_the_right_one():
    for item in EVERY:
        for kind, text in item.right.items():
            assert sorted(item.twins[kind, "exchanged"].split()) == sorted(text.split())
            number = item.twins[kind, "number"].split()
            assert sum(a != b for a, b in zip(number, text.split())) == (2 if kind == "contrast" else 1)
            assert len(number) == len(text.split())


def test_no_cheap_sign_tells_the_wrong_ones():
    """Denials stand in as many wrong as right sentences, and every order of two names is right and wrong."""
    denied = lambda text: bool({"not", "never"} & set(re.sub(r", not .*", "", text).split()))
    right = [text for item in EVERY for text in item.right.values()]
    wrong = [item.wrong["negated"] for item in EVERY]
    assert abs(np.mean([*map(denied, right)]) - 0.5) < 0.08 and abs(np.mean([*map(denied, wrong)]) - 0.5) < 0.08
    first = lambda text: next(word for word in text.split() if word in words.CHILDREN)
    same = Counter((kind, first(text) == first(item.reference)) for item in EVERY for kind, text in item.right.items())
    assert same["passive", True] == same["converse", True] == same["reordered", False] == 0


def test_pairs_of_children_and_numbers_of_things_are_held_out():
    seen = {split: (set(), set()) for split in SPLITS}
    for split, items in ITEMS.items():
        for item in items:
            for text in (item.reference, *item.right.values(), *item.wrong.values(), *item.twins.values()):
                fact = read(text)
                seen[split][0].add(frozenset((fact.giver, fact.taker)))
                seen[split][1].add((fact.number, fact.thing))
    for kind in range(2):
        assert not any(seen[a][kind] & seen[b][kind] for a in SPLITS for b in SPLITS if a != b)
    for child in words.CHILDREN:
        met = {other: children_split(child, other) for other in words.CHILDREN if other != child}
        assert Counter(met.values())["train"] >= 6 and set(met.values()) == set(SPLITS)
        assert all(children_split(other, child) == split for other, split in met.items())
    for thing in words.THINGS:
        assert Counter(number_split(n, thing) for n in words.NUMBERS) == {"train": 3, "val": 2, "test": 2}
    assert all("train" in {number_split(n, t) for t in words.THINGS} for n in words.NUMBERS)


def test_everything_is_drawn_about_as_often():
    rng = np.random.default_rng(1)
    facts = [draw_fact(rng) for _ in range(4000)]
    forms = [draw_form(rng, fact) for fact in facts]
    for values, least in (
        ([f.verb for f in facts], 900), ([f.giver for f in facts], 200), ([f.taker for f in facts], 200),
        ([f.place for f in facts], 350), ([f.number for f in facts], 350), ([f.thing for f in facts], 300),
        ([f.happened for f in facts], 1850), ([f.order for f in forms], 900), ([f.word for f in forms], 1850),
        ([f.place_first for f in forms], 1850), ([f.denial for f in forms], 1850), ([bool(f.contrast) for f in forms], 900),
    ):  # fmt: skip
        assert min(Counter(values).values()) > least
    assert all(f.giver != f.taker for f in facts) and {f.order for f in forms} == set(ORDERS)
    assert all(form.contrast != fact.number for fact, form in zip(facts, forms))
    references = Counter(item.reference.split()[0] == "at" for item in EVERY)
    assert min(references.values()) > 350


def test_every_question_has_the_facts_answer():
    assert questions(FACT) == {
        "giver": ("from whom ?", "lily"), "taker": ("to whom ?", "tom"), "number": ("how many ?", "three"),
        "thing": ("what ?", "kites"), "place": ("where ?", "harbor"), "happened": ("did it happen ?", "yes"),
    }  # fmt: skip
    assert questions(DENIED)["happened"][1] == "no"


def test_a_seed_gives_the_same_sentences_and_another_one_others():
    again, other = (generate_meanings(np.random.default_rng(seed), 20) for seed in (0, 2))
    assert again == ITEMS["test"][:20] and other != again


def test_what_is_none_is_refused():
    with pytest.raises(ArgumentError, match="split: expected train or val or test, got 'all'"):
        generate_meanings(np.random.default_rng(0), 1, "all")
    with pytest.raises(ArgumentError, match="count"):
        generate_meanings(np.random.default_rng(0), 0)
    with pytest.raises(ArgumentError, match="order: expected one of active, to, passive, converse, got 'x'"):
        say(FACT, Form("x"))
    for text in ("", "lily gave tom kites at the harbor .", "lily gave three kites at the harbor .", "the cat sat ."):
        with pytest.raises(DataError, match="a sentence of `meaning`"):
            read(text)
