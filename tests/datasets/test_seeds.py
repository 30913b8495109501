"""Generated corpora follow their seed and their counts, and the counts stay the caller's."""

from __future__ import annotations

import pytest

from tinygrad_llm.datasets import kingdom, lingo, locate, tales


def texts(generate, seed, counts):
    if generate is lingo.generate_lingo:
        return [lingo.pair_of(clause) for clauses in generate(seed, counts).values() for clause in clauses]
    return [made.text for made in generate(seed, counts)]


GENERATORS = [
    (kingdom.generate_kingdom, {"train": 30, "test": 3}),
    (lingo.generate_lingo, {"train": 30, "val": 3, "test": 2}),
    (tales.generate_tales, {"train": 20, "val": 3, "test": 2}),
]


@pytest.mark.parametrize(("generate", "counts"), GENERATORS, ids=["kingdom", "lingo", "tales"])
def test_a_corpus_is_that_of_its_seed(generate, counts):
    given = dict(counts)
    first = texts(generate, 1, given)
    assert given == counts and len(first) == sum(counts.values())
    assert texts(generate, 1, counts) == first
    assert len(set(first) & set(texts(generate, 2, counts))) < len(first) // 2
    fewer = {"train": counts["train"] // 2}
    assert texts(generate, 1, fewer) == [t for t in first if t in texts(generate, 1, fewer)]


@pytest.mark.parametrize(("generate", "counts"), GENERATORS, ids=["kingdom", "lingo", "tales"])
def test_the_counts_of_the_files_are_what_they_say(generate, counts):
    module = {g: m for (g, _), m in zip(GENERATORS, (kingdom, lingo, tales))}[generate]
    before = dict(module.COUNTS)
    texts(generate, 1, counts)
    assert module.COUNTS == before and counts.keys() == before.keys() and module.SEED == 2026


def test_each_split_is_read_under_its_own_name():
    assert [path.name for path in locate.tales_files()] == ["train.txt", "val.txt"]
    assert [path.name for path in locate.lingo_files()] == ["train.tsv", "val.tsv", "test.tsv"]


def test_a_sentence_that_is_drawn_twice_is_told_once(monkeypatch):
    plain, again = lingo._Draw.clause, []

    def twice(draw, inner=False):
        if inner:
            return plain(draw, inner)
        if again:
            return again.pop()
        again.append(plain(draw))
        return again[0]

    monkeypatch.setattr(lingo._Draw, "clause", twice)
    (told,) = lingo.generate_lingo(1, {"train": 30}).values()
    assert len(told) == len(set(told)) == 30
