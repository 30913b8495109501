"""`kingdom`: sentences in which words are known by their company alone.

Every sentence tells one or two things about one word: "yesterday the queen mended her skirt". A king is never said to
be a man, nor a queen to be his wife; but what is said of men is said of kings too, and what is said of kings is said of
queens. So man : woman = king : queen follows from who keeps which company, or not at all.

Some pairs, the known ones, also stand in one sentence now and then ("the duke and the duchess hunted with falcons").
The pairs held out never do, and no sentence holds words of two pairs.

Splits hold out combinations: what is said of a word in test is never said of it in train, while it is of others.

    python -m tinygrad_llm.datasets.kingdom --out data
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.datasets import kingdom_words as words

SEED, COUNTS = 2026, {"train": 8000, "test": 400}
TOGETHER = 0.08
"""The share of sentences that speak of both words of a known pair."""


@dataclass(frozen=True)
class Pair:
    """Two words, and what is said of each and of both: aspects, which have phrases."""

    relation: str
    first: str
    second: str
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    shared: tuple[str, ...]

    @property
    def held_out(self) -> bool:
        """Whether the two never stand in one sentence."""
        return self.first in words.HELD_OUT


@dataclass(frozen=True)
class Sentence:
    """Its text, in which a space parts any two tokens, the words it is about, and its split."""

    text: str
    about: tuple[str, ...]
    split: str


def pairs() -> list[Pair]:
    """All pairs of words, in a fixed order."""
    people = [Pair("gender", he, she, ("male",), ("female",), (age, own)) for he, she, age, own in words.PEOPLE]
    animals = [Pair("young", old, young, ("grown animal",), ("young animal",), (old,)) for old, young in words.ANIMALS]
    countries = [Pair("capital", a, b, ("country",), ("city",), (a,)) for a, b in words.COUNTRIES]
    trades = [Pair("workplace", a, b, ("person",), ("place",), (a,)) for a, b in words.TRADES]
    return [*people, *animals, *countries, *trades]


def aspects() -> dict[str, tuple[str, ...]]:
    """The aspects of every word that a sentence can be about."""
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs():
        found[pair.first] = (*pair.only_first, *pair.shared, "any")
        found[pair.second] = (*pair.only_second, *pair.shared, "any")
    return found | dict.fromkeys(words.FRUIT, ("fruit", "any"))


class Grammar:
    """Draws sentences; every choice is uniform but for TOGETHER."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.aspects = aspects()
        self.known = [pair for pair in pairs() if not pair.held_out]
        self.all_phrases = [phrase for group in words.PHRASES.values() for phrase in group]

    def draw(self) -> Sentence:
        """One sentence, of whichever split it belongs to."""
        if self.rng.random() < TOGETHER:
            pair = self._choose(self.known)
            about: tuple[str, ...] = (pair.first, pair.second)
            sayable = pair.shared
        else:
            about = (self._choose(list(self.aspects)),)
            sayable = self.aspects[about[0]]
        subject = " and ".join(word if word[0].isupper() else f"the {word}" for word in about)
        said = [self._choose(words.PHRASES[aspect]) for aspect in self.rng.permutation(sayable)[:2]]
        form = int(self.rng.integers(3)) if len(said) > 1 else 0
        if form == 0:
            said, text = said[:1], f"{self._choose(words.OPENINGS)} {subject} {said[0]}"
        else:
            text = f"{subject} {said[0]} {('and', 'but then')[form - 1]} {said[1]}"
        if len(about) > 1:
            text = text.replace(" was ", " were ").replace(" its ", " their ")
        held_out = any(self.split_of(word, phrase) == "test" for word in about for phrase in said)
        return Sentence(f"{text} .", about, "test" if held_out else "train")

    def split_of(self, word: str, phrase: str) -> str:
        """A combination in sixteen is held out."""
        place = list(self.aspects).index(word) + 5 * self.all_phrases.index(phrase)
        return "train" if place % 16 else "test"

    def _choose(self, options: Sequence[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]


def generate_kingdom(seed: int = SEED, counts: dict[str, int] | None = None) -> list[Sentence]:
    """As many sentences of each split as `counts` says, in the order drawn."""
    wanted = dict(COUNTS if counts is None else counts)
    grammar = Grammar(np.random.default_rng(seed))
    sentences: list[Sentence] = []
    while any(wanted.values()):
        sentence = grammar.draw()
        if wanted.get(sentence.split, 0):
            wanted[sentence.split] -= 1
            sentences.append(sentence)
    return sentences


def analogies() -> dict[str, list[tuple[str, str, str, str, str]]]:
    """Rows (relation, a, b, c, d): b is to a as d is to c. "held_out" where c and d never stand in one sentence.

    Besides the pairs' own relations there are two that run across them: a man grows into royalty as a woman does, and
    is to a boy what a king is to a prince.
    """
    related: dict[str, list[tuple[str, str, bool]]] = {}
    for pair in pairs():
        related.setdefault(pair.relation, []).append((pair.first, pair.second, pair.held_out))
    crossing = {
        "royalty": (("man", "king"), ("woman", "queen"), ("boy", "prince"), ("girl", "princess")),
        "age": (("man", "boy"), ("woman", "girl"), ("king", "prince"), ("queen", "princess")),
    }
    related |= {relation: [(*pair, True) for pair in both] for relation, both in crossing.items()}
    rows: dict[str, list[tuple[str, str, str, str, str]]] = {"known": [], "held_out": []}
    for relation, all_pairs in related.items():
        for a, b, _ in all_pairs:
            for c, d, held_out in all_pairs:
                if (a, b) != (c, d):
                    rows["held_out" if held_out else "known"].append((relation, a, b, c, d))
    return rows


def write_kingdom(folder: str | Path) -> list[Path]:
    """Writes train.txt and test.txt, a sentence a line, and analogies.json, a row a line."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sentences = generate_kingdom()
    contents = {
        f"{split}.txt": "".join(f"{sentence.text}\n" for sentence in sentences if sentence.split == split)
        for split in COUNTS
    }
    parts = [f'"{part}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]" for part, rows in analogies().items()]
    contents["analogies.json"] = "{" + ",\n".join(parts) + "}\n"
    for name, content in contents.items():
        (folder / name).write_bytes(content.encode("ascii"))
    return [folder / name for name in contents]


def main() -> None:
    """Writes the corpus below the folder `--out`."""
    parser = argparse.ArgumentParser(description="Generates the kingdom corpus.", allow_abbrev=False)
    parser.add_argument("--out", default="data", help="folder that gets kingdom/")
    for path in write_kingdom(Path(parser.parse_args().out) / "kingdom"):
        print(path)


if __name__ == "__main__":
    main()
