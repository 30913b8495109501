"""`lingo`: an invented language, parallel to English. What it says is decided by grammar, so each English sentence has
exactly one translation, and of each word of it we know which words of the English sentence it renders.

    the brave king did not give two books to the girls near the river yesterday
    hier silur-os bel dorak valem minol-ir-eth hatul-ir-an dun donik-a ne           (written without the hyphens)

Its order is nearly English backwards: time and place first, the verb last, adjectives and numbers after the noun, the
place before its preposition, a relative clause before what it speaks of. Nouns are marked for number and case,
adjectives take the noun's case, verbs tense and the subject's number. There are no articles.

Splits hold out combinations: a subject, verb and object that meet in a sentence of val or test never do so in train.

    python -m tinygrad_llm.datasets.lingo --out data
"""

from __future__ import annotations

import argparse
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinygrad_llm.datasets import lingo_words as words
from tinygrad_llm.datasets.pairs import Pair, format_pairs

SEED, COUNTS = 2026, {"train": 2600, "val": 200, "test": 300}
NOUNS = {**words.BEINGS, **words.THINGS, **words.PLACES}
VERBS = {**words.VERBS, **words.GIVING}

Marked = list[tuple[str, Hashable]]
"""Words, each with what it renders; None for what has no counterpart."""


@dataclass(frozen=True)
class Phrase:
    """A noun with what is said of it: singular, or plural, or so many of them; an adjective; a clause about it."""

    noun: str
    plural: bool = False
    count: str = ""
    article: str = "the"
    adjective: str = ""
    clause: Clause | None = None


@dataclass(frozen=True)
class Clause:
    """Who does what to whom, when and where. As part of a phrase it has no subject of its own: that is the phrase."""

    subject: Phrase | None
    verb: str
    tense: str
    negated: bool
    object: Phrase
    recipient: Phrase | None = None
    preposition: str = ""
    place: Phrase | None = None
    time: str = ""


def english(clause: Clause, plural: bool = False, at: str = "") -> Marked:
    """The clause in English; `plural` is that of the subject, where it stands elsewhere."""
    plural = clause.subject.plural if clause.subject else plural
    found = _english_phrase(clause.subject, f"{at}s") if clause.subject else []
    base, verb = clause.verb, (f"{at}v")
    third, past = VERBS[base][1:]
    if clause.negated:
        helper = {"past": "did", "present": "do" if plural else "does", "future": "will"}[clause.tense]
        found += [(helper, verb), ("not", f"{at}n"), (base, verb)]
    elif clause.tense == "future":
        found += [("will", verb), (base, verb)]
    else:
        found.append(((base if plural else third) if clause.tense == "present" else past, verb))
    found += _english_phrase(clause.object, f"{at}o")
    if clause.recipient:
        found += [("to", None), *_english_phrase(clause.recipient, f"{at}r")]
    if clause.place:
        found += [(clause.preposition, f"{at}p"), *_english_phrase(clause.place, f"{at}l")]
    return found + ([(clause.time, f"{at}t")] if clause.time else [])


def _english_phrase(phrase: Phrase, at: str) -> Marked:
    found: Marked = [(phrase.count, f"{at}c")] if phrase.count else [(phrase.article, None)]
    if phrase.adjective:
        found.append((phrase.adjective, f"{at}a"))
    noun = phrase.noun + ("s" if phrase.plural else "")
    found.append(({"knifes": "knives"}.get(noun, noun), f"{at}n"))
    if phrase.clause:
        found += [("that", f"{at}k"), *english(phrase.clause, phrase.plural, f"{at}.")]
    return found


def lingo(clause: Clause, plural: bool = False, at: str = "") -> Marked:
    """The clause in lingo, with the same marks."""
    plural = clause.subject.plural if clause.subject else plural
    found: Marked = []
    if clause.time:
        found.append((words.TIMES[clause.tense][clause.time], f"{at}t"))
    if clause.place:
        found += [*_lingo_phrase(clause.place, "place", f"{at}l"), (words.PREPOSITIONS[clause.preposition], f"{at}p")]
    if clause.subject:
        found += _lingo_phrase(clause.subject, "subject", f"{at}s")
    if clause.recipient:
        found += _lingo_phrase(clause.recipient, "recipient", f"{at}r")
    found += _lingo_phrase(clause.object, "object", f"{at}o")
    ending = words.TENSES[clause.tense] + (words.MANY_DO if plural else "")
    found.append((VERBS[clause.verb][0] + ending, f"{at}v"))
    return found + ([(words.NOT, f"{at}n")] if clause.negated else [])


def _lingo_phrase(phrase: Phrase, case: str, at: str) -> Marked:
    found = [*lingo(phrase.clause, phrase.plural, f"{at}."), (words.THAT, f"{at}k")] if phrase.clause else []
    number = words.PLURAL if phrase.plural else ""
    found.append((NOUNS[phrase.noun] + number + words.CASES[case], f"{at}n"))
    if phrase.adjective:
        found.append((words.ADJECTIVES[phrase.adjective] + words.CASES[case], f"{at}a"))
    return found + ([(words.COUNTS[phrase.count], f"{at}c")] if phrase.count else [])


def pair_of(clause: Clause) -> Pair:
    """Both sentences, and for each word of lingo the places of the English words that it renders."""
    source, target = english(clause), lingo(clause)
    alignment = tuple(tuple(i for i, (_, mark) in enumerate(source) if mark == wanted) for _, wanted in target)
    return Pair(tuple(w for w, _ in source), tuple(w for w, _ in target), alignment)


def triples(clause: Clause) -> list[tuple[str, str, str]]:
    """Subject, verb and object of the sentence, and of the clause inside, if there is one."""
    assert clause.subject is not None
    found = [(clause.subject.noun, clause.verb, clause.object.noun)]
    inner = clause.subject.clause
    return found + ([(clause.subject.noun, inner.verb, inner.object.noun)] if inner else [])


def split_of(triple: tuple[str, str, str]) -> str:
    """A triple in eight is held out: half of those for val, half for test. Every pair out of a triple is in train."""
    subject, verb, thing = triple
    place = list(words.BEINGS).index(subject) + 3 * list(VERBS).index(verb) + 5 * list(NOUNS).index(thing)
    return "train" if place % 8 else "val" if (place // 8) % 2 else "test"


class _Draw:
    """Sentences at random."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def one(self, options: Iterable[str]) -> str:
        options = list(options)
        return options[int(self.rng.integers(len(options)))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def phrase(self, nouns: Iterable[str], clause: Clause | None = None, counted: float = 0.2) -> Phrase:
        count = self.one(words.COUNTS) if self.chance(counted) else ""
        plural = bool(count) or self.chance(0.25)
        article = "the" if plural or self.chance(0.6) else "a"
        adjective = self.one(words.ADJECTIVES) if self.chance(0.35) else ""
        return Phrase(self.one(nouns), plural, count, article, adjective, clause)

    def clause(self, inner: bool = False) -> Clause:
        """A sentence, or the clause inside one, which says neither where nor when."""
        giving = self.chance(0.35) and not inner
        verb = self.one(words.GIVING if giving else words.VERBS)
        tense = self.one(words.TENSES)
        about = self.clause(inner=True) if not inner and self.chance(0.2) else None
        placed = not inner and self.chance(0.4)
        return Clause(
            subject=None if inner else self.phrase(words.BEINGS, about),
            verb=verb,
            tense=tense,
            negated=not inner and self.chance(0.2),
            object=self.phrase(words.THINGS if giving else [*words.BEINGS, *words.THINGS]),
            recipient=self.phrase(words.BEINGS) if giving else None,
            preposition=self.one(words.PREPOSITIONS) if placed else "",
            place=self.phrase(words.PLACES, counted=0.0) if placed else None,
            time=self.one(words.TIMES[tense]) if not inner and self.chance(0.4) else "",
        )


def generate_lingo(seed: int = SEED, counts: dict[str, int] | None = None) -> dict[str, list[Clause]]:
    """As many different sentences of each split as `counts` says, in the order drawn.

    A sentence of val or test has its own triple held out; a clause inside it, as all of train, does not.
    """
    wanted = COUNTS if counts is None else counts
    draw = _Draw(np.random.default_rng(seed))
    found: dict[str, list[Clause]] = {split: [] for split in wanted}
    seen: set[Clause] = set()
    while any(len(found[split]) < wanted[split] for split in wanted):
        clause = draw.clause()
        (whole, *inner) = triples(clause)
        split = split_of(whole)
        if clause in seen or any(split_of(t) != "train" for t in inner):
            continue
        if split in wanted and len(found[split]) < wanted[split]:
            seen.add(clause)
            found[split].append(clause)
    return found


def write_lingo(folder: str | Path) -> list[Path]:
    """Writes train.tsv, val.tsv and test.tsv, a pair a line."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for split, clauses in generate_lingo().items():
        paths.append(folder / f"{split}.tsv")
        paths[-1].write_bytes(format_pairs([pair_of(clause) for clause in clauses]).encode("ascii"))
    return paths


def main(argv: Sequence[str] | None = None) -> None:
    """Writes the corpus below the folder `--out`."""
    parser = argparse.ArgumentParser(description="Generates the lingo corpus.", allow_abbrev=False)
    parser.add_argument("--out", default="data", help="folder that gets lingo/")
    for path in write_lingo(Path(parser.parse_args(argv).out) / "lingo"):
        print(path)


if __name__ == "__main__":
    main()
