"""Lingo: one translation each, alignments that are true, splits that hold, files that are what the generator makes."""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tinygrad_llm.datasets import lingo_words as words
from tinygrad_llm.datasets import locate
from tinygrad_llm.datasets.lingo import (
    COUNTS,
    NOUNS,
    VERBS,
    Clause,
    Phrase,
    generate_lingo,
    pair_of,
    split_of,
    triples,
    write_lingo,
)
from tinygrad_llm.datasets.pairs import read_pairs

DATA = Path(__file__).resolve().parents[2] / "data"
SOURCES = (DATA / "SOURCES.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def clauses():
    return generate_lingo()


@pytest.fixture(scope="module")
def pairs(clauses):
    return {split: [pair_of(clause) for clause in found] for split, found in clauses.items()}


def test_the_files_are_what_the_generator_makes(tmp_path):
    for path in write_lingo(tmp_path):
        content = path.read_bytes()
        assert content == (DATA / "lingo" / path.name).read_bytes(), path.name
        assert hashlib.sha256(content).hexdigest() in SOURCES, path.name


def test_files_are_read_as_they_were_made(pairs):
    for split, path in zip(COUNTS, locate.lingo_files()):
        assert path == DATA / "lingo" / f"{split}.tsv" and read_pairs(path) == pairs[split]


def test_outside_a_checkout_they_are_made_on_first_use(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "CHECKOUT", tmp_path / "nowhere")
    monkeypatch.setattr(locate, "cache_dir", lambda: tmp_path / "cache")
    for _ in range(2):
        for path in locate.lingo_files():
            assert path.read_bytes() == (DATA / "lingo" / path.name).read_bytes()


KING, GIRLS = Phrase("king", adjective="brave"), Phrase("girl", plural=True)
CASES = [
    (
        Clause(KING, "give", "past", True, Phrase("book", True, "two"), GIRLS, "near", Phrase("river"), "yesterday"),
        "the brave king did not give two books to the girls near the river yesterday",
        "hier siluros bel dorak valem minolireth hatuliran dun donika ne",
    ),
    (
        Clause(Phrase("cat", True, "many"), "see", "present", False, Phrase("dog", article="a")),
        "many cats see a dog", "nemisir mul vurekan vidores",
    ),
    (Clause(KING, "see", "present", False, KING), "the brave king sees the brave king", "dorak valem dorakan valeman vidore"),
    (Clause(GIRLS, "hide", "present", True, KING), "the girls do not hide the brave king", "minolir dorakan valeman luremes ne"),
    (Clause(KING, "hide", "present", True, GIRLS), "the brave king does not hide the girls", "dorak valem minoliran lureme ne"),
    (Clause(KING, "hide", "future", False, GIRLS, time="soon"), "the brave king will hide the girls soon", "baldu dorak valem minoliran luremo"),
    (
        Clause(Phrase("girl", True, clause=Clause(None, "find", "past", False, Phrase("knife", True))), "want", "present", False, Phrase("cup")),
        "the girls that found the knives want the cup", "gisekiran kerulas ke minolir kofelan dezires",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "source", "target"), CASES)
def test_translations_made_by_hand(clause, source, target):
    pair = pair_of(clause)
    assert (" ".join(pair.source), " ".join(pair.target)) == (source, target)


def test_an_alignment_made_by_hand():
    pair = pair_of(CASES[0][0])
    assert pair.alignment == ((14,), (13,), (11,), (2,), (1,), (10,), (7,), (6,), (3, 5), (4,))
    assert pair_of(CASES[6][0]).alignment == ((5,), (3,), (2,), (1,), (8,), (6,))


def stem_of():
    """English words by what their lingo words begin with, from the tables alone."""
    found = {}
    for english, stem in (NOUNS | words.ADJECTIVES | words.PREPOSITIONS | words.COUNTS).items():
        found[stem] = {english, english + "s", "knives" if english == "knife" else english}
    for base, (stem, third, past) in VERBS.items():
        found[stem] = {base, third, past, "will", "do", "does", "did"}
    for times in words.TIMES.values():
        found |= {stem: {english} for english, stem in times.items()}
    return found | {"ne": {"not"}, "ke": {"that"}}


def test_every_alignment_joins_words_that_mean_the_same(pairs):
    stems = stem_of()
    assert not [a for a in stems for b in stems if a != b and b.startswith(a) and len(a) > 3]
    spoken = {word for found in pairs.values() for p in found for word in p.target}
    begins = {word: [s for s in stems if word.startswith(s) and (len(s) > 4 or word == s)] for word in spoken}
    for pair in (p for found in pairs.values() for p in found):
        used = set()
        for word, places in zip(pair.target, pair.alignment):
            (stem,) = begins[word]
            assert places and {pair.source[i] for i in places} <= stems[stem], (word, pair)
            assert not used & set(places)
            used |= set(places)
        assert {pair.source[i] for i in set(range(len(pair.source))) - used} <= {"the", "a", "to"}


def test_words_agree(pairs):
    """Read off the sentences themselves: adjectives have their noun's case, verbs their subject's number."""
    nouns = "|".join(NOUNS.values())
    adjectives = "|".join(words.ADJECTIVES.values())
    verbs = "|".join(stem for stem, _, _ in VERBS.values())
    seen = 0
    for pair in (p for found in pairs.values() for p in found):
        for a, b in pairwise(pair.target):
            noun = re.fullmatch(f"({nouns})(?:ir)?(an|eth|os|)", a)
            adjective = re.fullmatch(f"({adjectives})(an|eth|os|)", b)
            if adjective:
                assert noun and noun[2] == adjective[2], (a, b)
                seen += 1
        subject = next(w for w in pair.target if re.fullmatch(f"({nouns})(ir)?", w))
        verb = [w for w in pair.target if w != "ne"][-1]
        assert re.fullmatch(f"({verbs})[aeo]s?", verb)
        assert subject.endswith("ir") == verb.endswith("s"), pair
    assert seen > 1000


def test_sentences_differ_and_each_has_one_translation(pairs):
    every = [p for found in pairs.values() for p in found]
    sources = [p.source for p in every]
    assert len(set(sources)) == len(sources) == sum(COUNTS.values())
    assert {split: len(found) for split, found in pairs.items()} == COUNTS
    assert max(len(p.source) for p in every) < 32 and min(len(p.target) for p in every) == 3


def test_held_out_combinations_never_occur_in_training_but_their_parts_do(clauses, pairs):
    found = {split: {t for c in those for t in triples(c)} for split, those in clauses.items()}
    mains = {split: {triples(c)[0] for c in those} for split, those in clauses.items()}
    assert not found["train"] & (mains["val"] | mains["test"]) and not mains["val"] & mains["test"]
    assert all(split_of(t) == split for split, those in mains.items() for t in those)
    assert all(split_of(t) == "train" for t in found["train"])
    for i, j in ((0, 1), (1, 2), (0, 2)):  # two of three have met in training, but for a few
        known = {(t[i], t[j]) for t in found["train"]}
        missing = {(t[i], t[j]) for t in mains["test"]} - known
        assert len(missing) <= 0.05 * len(mains["test"]), missing
    vocabulary = {split: {w for p in those for w in (*p.source, *p.target)} for split, those in pairs.items()}
    assert vocabulary["val"] | vocabulary["test"] <= vocabulary["train"]


def test_a_triple_in_eight_is_held_out():
    every = [split_of((s, v, o)) for s in words.BEINGS for v in VERBS for o in (*words.BEINGS, *words.THINGS)]
    assert abs(every.count("train") / len(every) - 7 / 8) < 0.01
    assert abs(every.count("test") / len(every) - 1 / 16) < 0.01


def grams(texts, n):
    return [tuple(text[i : i + n]) for text in texts for i in range(len(text) - n + 1)]


@pytest.mark.parametrize("side", ["source", "target"])
def test_the_overlap_is_what_the_page_says(pairs, side):
    train, test = ([getattr(p, side) for p in pairs[split]] for split in ("train", "test"))
    row = []
    for n in range(2, 7):
        known, mine = set(grams(train, n)), grams(test, n)
        row.append(f"{100 * sum(g in known for g in mine) / len(mine):.1f} %")
    assert f"| {' | '.join(row)} |" in SOURCES, row
