"""The kingdom: words known by their company alone, and pairs that never meet."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.datasets import kingdom_words as words
from tinygrad_llm.datasets.kingdom import (
    COUNTS,
    TOGETHER,
    Grammar,
    analogies,
    aspects,
    generate_kingdom,
    pairs,
    write_kingdom,
)

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def lines():
    """The committed sentences, as lists of tokens."""
    return {
        split: [line.split() for line in (DATA / "kingdom" / f"{split}.txt").read_text("ascii").splitlines()]
        for split in COUNTS
    }


def test_the_files_are_what_the_generator_makes(tmp_path):
    sources = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    for path in write_kingdom(tmp_path):
        content = path.read_bytes()
        assert content == (DATA / "kingdom" / path.name).read_bytes(), path.name
        assert hashlib.sha256(content).hexdigest() in sources, path.name


def test_the_lists_are_in_order():
    everyone = [word for pair in pairs() for word in (pair.first, pair.second)] + list(words.FRUIT)
    assert len(everyone) == len(set(everyone)) and set(everyone) == set(aspects())
    assert set(words.HELD_OUT) <= {pair.first for pair in pairs()}
    said = [phrase for group in words.PHRASES.values() for phrase in group]
    assert len(said) == len(set(said))
    assert all(aspect in words.PHRASES for group in aspects().values() for aspect in group)


def test_no_phrase_and_no_opening_holds_a_word_of_a_pair():
    spoken = {word for group in words.PHRASES.values() for phrase in group for word in phrase.split()}
    assert not (spoken | {word for opening in words.OPENINGS for word in opening.split()}) & set(aspects())


def test_a_sentence_is_about_one_word_or_a_known_pair(lines):
    known = {frozenset((pair.first, pair.second)) for pair in pairs() if not pair.held_out}
    together = Counter()
    for line in (*lines["train"], *lines["test"]):
        about = frozenset(line) & set(aspects())
        assert len(about) == 1 or about in known, line
        together[about] += len(about) > 1
    assert all(together[pair] for pair in known)
    assert 0.5 < sum(together.values()) / (sum(COUNTS.values()) * TOGETHER) < 1.5


def test_the_answer_of_a_held_out_analogy_never_stands_in_a_sentence_with_a_word_of_the_question(lines):
    listed = json.loads((DATA / "kingdom" / "analogies.json").read_text("ascii"))
    assert {part: list(map(tuple, rows)) for part, rows in listed.items()} == analogies()
    met = {(a, b) for part in lines.values() for line in part for a in line for b in line}
    for relation, a, b, c, d in listed["held_out"]:
        assert len({a, b, c, d}) == 4 and not met & {(a, d), (b, d), (c, d)}, (relation, a, b, c, d)
    assert any((c, d) in met for _, _, _, c, d in listed["known"])
    assert ["gender", "man", "woman", "king", "queen"] in listed["held_out"]
    assert len(listed["held_out"]) > 300 and len(listed["known"]) > 300


def test_what_is_said_of_a_word_in_test_is_never_said_of_it_in_train_but_of_others(lines):
    grammar = Grammar(np.random.default_rng(0))

    def said(split):
        texts = {(frozenset(line) & set(aspects()), " ".join(line)) for line in lines[split]}
        return {
            (word, phrase)
            for about, text in texts
            for word in about
            for aspect in grammar.aspects[word]
            for phrase in words.PHRASES[aspect]
            if f" {phrase} " in text
        }

    train, test = said("train"), said("test")
    assert all(grammar.split_of(*pair) == "train" for pair in train)
    held_out = {pair for pair in test if grammar.split_of(*pair) == "test"}
    assert held_out and not held_out & train
    assert {word for word, _ in train} == set(aspects())
    assert {phrase for _, phrase in train} >= {phrase for _, phrase in test}


def test_sentences_are_plain_and_their_subjects_agree():
    for sentence in generate_kingdom(1, {"train": 500, "test": 20}):
        assert sentence.text.isascii() and sentence.text.endswith(" .") and "  " not in sentence.text
        assert set(sentence.about) <= set(sentence.text.split())
        if len(sentence.about) > 1:
            assert " was " not in sentence.text and " its " not in sentence.text


def test_every_word_is_spoken_of_often_enough_to_be_known(lines):
    counts = Counter(word for line in lines["train"] for word in line)
    assert min(counts[word] for word in aspects()) > 30
    assert set(np.concatenate(lines["test"])) <= set(counts)
