"""`tales`: short stories from a seeded grammar, so that every answer can be checked.

A story is a sequence of uniform choices. One function, `generate_story`, makes all of them through a `choose` that is
passed in: drawn at random it is the generator, constrained by a given text it is the parser. So a story's probability
is exact: the product of 1/len(options) over its choices, divided by the acceptance rate of its split.

Splits hold out combinations: a hero and a plot that stand together in val or test never do so in train.

    python -m tinygrad_llm.datasets.tales --out data
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.datasets import tales_words as words
from tinygrad_llm.datasets.tales_plots import HAPPY, MEETING, OPENING, PLOTS, SAD, TALK, Plot
from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.ranges import check_whole

SEED, COUNTS = 2026, {"train": 2100, "val": 250, "test": 250}
FAR_CHARACTERS, FAR_WORDS = 40, 8
"""An antecedent at least this far back is out of an n-gram's sight."""

Choose = Callable[[Sequence[Any], str], Any]
"""Picks one of the options; it is told how the story reads so far."""


@dataclass
class Story:
    """A story while it is told: its text, its entities, and where each was mentioned."""

    hero: str
    plot: Plot
    text: str = ""
    entities: dict[str, str] = field(default_factory=dict)
    sex: dict[str, str] = field(default_factory=dict)
    mentions: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Tale:
    """A finished story. Spans are [start, end) in characters of `text`.

    log_probability  exact, in nats, given the split.
    long_range       tokens whose antecedent is far back: {span, antecedent, kind, entity}.
    pronouns         of the last-named two children, whom "she" or "he" means, and what two heuristics would say.
    questions        {question, answer, evidence}, the evidence being the answer's first mention.
    """

    text: str
    split: str
    plot: str
    hero: str
    log_probability: float
    sentiment: str
    summary: str
    long_range: list[dict[str, Any]]
    pronouns: list[dict[str, Any]]
    questions: list[dict[str, Any]]


def generate_story(choose: Choose) -> Story:
    """One story, all choices made by `choose`."""
    hero = choose(words.CHILDREN, "")
    story = Story(hero, choose(PLOTS, ""))
    story.sex["hero"] = "girl" if hero in words.GIRLS else "boy"
    same = story.plot.same_sex
    peers = [
        name for name in words.CHILDREN if name != hero and (not same or (name in words.GIRLS) == (hero in words.GIRLS))
    ]
    story.entities["hero"] = hero
    for variants in (OPENING, MEETING, TALK, *story.plot.lines, HAPPY if story.plot.mood == "happy" else SAD):
        _add_sentence(story, choose(variants, story.text), choose, peers)
    return story


def _add_sentence(story: Story, sentence: str, choose: Choose, peers: list[str]) -> None:
    """Adds a sentence, drawing what it mentions for the first time."""
    story.text += " " if story.text else ""
    for plain, slot, entity, form in re.findall(r"([^\[{]+)|\{(\w+)\}|\[(\w+)\.?(\w*)\]", sentence):
        if plain:
            story.text += plain
        elif slot:
            story.text += choose({"weather": words.WEATHER, "time": words.TIMES}[slot], story.text)
        else:
            _mention(story, entity, form, choose, peers)


def _mention(story: Story, entity: str, form: str, choose: Choose, peers: list[str]) -> None:
    first = entity not in story.entities
    if first:
        story.entities[entity] = _draw(entity, choose, peers, story.text)
        if entity == "friend":
            story.sex["friend"] = "girl" if story.entities["friend"] in words.GIRLS else "boy"
    name = story.entities[entity]
    kind = "pronoun" if form.lower() in ("she", "her", "hers") else "name" if entity in story.sex else "noun"
    if kind == "pronoun":
        shown = words.PRONOUNS[story.sex[entity]][("she", "her", "hers").index(form.lower())]
        shown = shown.capitalize() if form[0].isupper() else shown
    else:
        shown = name.split(" ", 1)[1] if form == "short" else name[0].upper() + name[1:] if form == "Cap" else name
    start = len(story.text)
    story.text += shown
    story.mentions.append({"entity": entity, "kind": kind, "span": [start, len(story.text)]})


def _draw(entity: str, choose: Choose, peers: list[str], so_far: str) -> str:
    if entity == "friend":
        return choose(peers, so_far)
    if entity == "thing":
        return f"{choose(words.COLORS, so_far)} {choose(words.THINGS, so_far)}"
    options = {
        "place": words.PLACES,
        "spot": words.SPOTS,
        "food": words.FOODS,
        "animal": words.ANIMALS,
        "adult": words.ADULTS,
    }
    return choose(options[entity], so_far)


def split_of(hero: str, plot: Plot) -> str:
    """A pair in eight is held out: half of those for val, half for test. Every hero and every plot is in train too."""
    place = words.CHILDREN.index(hero) + 3 * PLOTS.index(plot)
    return "train" if place % 8 else "val" if (place // 8) % 2 else "test"


def acceptance_rate(split: str) -> float:
    """The probability that a draw belongs to the split: hero and plot are uniform and independent."""
    pairs = [split_of(hero, plot) for hero in words.CHILDREN for plot in PLOTS]
    return pairs.count(split) / len(pairs)


def draw(rng: np.random.Generator) -> tuple[Story, float]:
    """A story at random, and the logarithm of its probability before any split."""
    log_p = 0.0

    def choose(options: Sequence[Any], so_far: str) -> Any:
        nonlocal log_p
        log_p -= math.log(len(options))
        return options[int(rng.integers(len(options)))]

    return generate_story(choose), log_p


def draw_texts(rng: np.random.Generator, count: int, split: str = "train") -> tuple[list[str], np.ndarray]:
    """`count` stories of a split, drawn independently, as texts; and their log-probabilities (count,), given the split.

    Without what annotates a tale, and so fast enough for as many stories as a sweep over amounts of data needs.

    Raises ArgumentError for a count that is no whole number of at least 1, or another split.
    """
    check_whole(count=count)
    if split not in COUNTS:
        raise ArgumentError("split", " or ".join(COUNTS), repr(split))
    given = math.log(acceptance_rate(split))
    texts: list[str] = []
    log_ps: list[float] = []
    while len(texts) < count:
        story, log_p = draw(rng)
        if split_of(story.hero, story.plot) == split:
            texts.append(story.text)
            log_ps.append(log_p - given)
    return texts, np.array(log_ps)


class _OpenChoice(Exception):
    """The path ends here; `count` branches go on."""

    def __init__(self, count: int) -> None:
        self.count = count


class _Mismatch(Exception):
    """What has been said is not how the text begins."""


def derivations(text: str) -> list[float]:
    """The probability of each way in which the grammar tells exactly `text`; none for a text that is no story.

    Walks the tree of choices, and leaves a branch as soon as what it says differs from the text.
    """
    found: list[float] = []
    stack: list[list[int]] = [[]]
    while stack:
        path = stack.pop()
        try:
            story, probability = _follow(path, text)
        except _OpenChoice as more:
            stack.extend([*path, i] for i in range(more.count))
            continue
        except _Mismatch:
            continue
        if story.text == text:
            found.append(probability)
    return found


def _follow(path: list[int], text: str) -> tuple[Story, float]:
    """The story of these choices, and its probability."""
    probability, made = 1.0, iter(path)

    def choose(options: Sequence[Any], so_far: str) -> Any:
        nonlocal probability
        if not text.startswith(so_far):
            raise _Mismatch
        choice = next(made, None)
        if choice is None:
            raise _OpenChoice(len(options))
        probability /= len(options)
        return options[choice]

    return generate_story(choose), probability


def generate_tales(seed: int = SEED, counts: dict[str, int] | None = None) -> list[Tale]:
    """As many different stories of each split as `counts` says, in the order drawn.

    Draws of a split that is full already are passed over: that is what the probability is divided by. Of some 10^14
    stories a second draw of the same one is not to be expected; should it come, it is an error, not a rejection.
    """
    wanted = dict(COUNTS if counts is None else counts)
    rng = np.random.default_rng(seed)
    tales: list[Tale] = []
    seen: set[str] = set()
    while any(wanted.values()):
        story, log_p = draw(rng)
        split = split_of(story.hero, story.plot)
        if wanted.get(split, 0):
            assert story.text not in seen, "two equal stories: the probabilities would be wrong"
            seen.add(story.text)
            wanted[split] -= 1
            tales.append(_annotated(story, log_p - math.log(acceptance_rate(split)), split))
    return tales


def _annotated(story: Story, log_p: float, split: str) -> Tale:
    return Tale(
        text=story.text,
        split=split,
        plot=story.plot.name,
        hero=story.hero,
        log_probability=log_p,
        sentiment=story.plot.mood,
        summary=_filled(story, story.plot.summary),
        long_range=_long_range(story),
        pronouns=_pronouns(story),
        questions=_questions(story),
    )


def _filled(story: Story, template: str) -> str:
    """A template whose entities have all been drawn by now."""

    def shown(found: re.Match[str]) -> str:
        name, form = story.entities[found[1]], found[2]
        if form in ("she", "her", "hers"):
            return words.PRONOUNS[story.sex[found[1]]][("she", "her", "hers").index(form)]
        return name.split(" ", 1)[1] if form == "short" else name

    text = re.sub(r"\[(\w+)\.?(\w*)\]", shown, template)
    return text[0].upper() + text[1:]


def _long_range(story: Story) -> list[dict[str, Any]]:
    """Mentions whose last earlier mention by name is far back."""
    marks: list[dict[str, Any]] = []
    by_name: dict[str, list[int]] = {}
    for mention in story.mentions:
        entity, span = mention["entity"], mention["span"]
        antecedent = by_name.get(entity)
        if antecedent is not None:
            between = story.text[antecedent[1] : span[0]]
            if len(between) >= FAR_CHARACTERS and len(between.split()) >= FAR_WORDS:
                marks.append({"span": span, "antecedent": antecedent, "kind": mention["kind"], "entity": entity})
        if mention["kind"] != "pronoun":
            by_name[entity] = span
    return marks


def _pronouns(story: Story) -> list[dict[str, Any]]:
    """Every pronoun of a story of two children: whom it means, and what the nearest name and the sex alone would say.

    `sex` is None where it fits both: then neither heuristic can be right by more than luck.
    """
    answers: list[dict[str, Any]] = []
    nearest: str | None = None
    for mention in story.mentions:
        entity = mention["entity"]
        if mention["kind"] == "name":
            nearest = entity
        elif mention["kind"] == "pronoun" and "friend" in story.entities:
            other = "friend" if entity == "hero" else "hero"
            by_sex = None if story.sex[entity] == story.sex[other] else story.entities[entity]
            answers.append(
                {
                    "span": mention["span"],
                    "means": story.entities[entity],
                    "nearest": story.entities[nearest] if nearest else None,
                    "sex": by_sex,
                }
            )
    return answers


def _questions(story: Story) -> list[dict[str, Any]]:
    first = {m["entity"]: m["span"] for m in reversed(story.mentions) if m["kind"] != "pronoun"}
    general = (
        ("Where did [hero] go?", "place"),
        ("What did [hero] carry?", "thing"),
        ("Whom did [hero] meet?", "friend"),
    )
    return [
        {"question": _filled(story, question), "answer": story.entities[entity], "evidence": first[entity]}
        for question, entity in (*general, *story.plot.asks)
    ]


def overlap(train: str, test: str, n: int) -> float:
    """The share of the test text's word n-grams that occur in the training text.

    Raises DataError for a test text of fewer than n words, ArgumentError for an n that is no whole number.
    """
    check_whole(n=n)

    def grams(text: str) -> list[tuple[str, ...]]:
        tokens = text.split()
        return list(zip(*(tokens[i:] for i in range(n))))

    known = set(grams(train))
    mine = grams(test)
    if not mine:
        raise DataError("test text", f"at least {n} words", len(test.split()))
    return sum(gram in known for gram in mine) / len(mine)


def joined(tales: Sequence[Tale], split: str) -> str:
    """The split's stories as one text, an empty line between two."""
    return "".join(f"{tale.text}\n\n" for tale in tales if tale.split == split)


def write_tales(folder: str | Path) -> list[Path]:
    """Writes train.txt, val.txt, test.txt, and stories.jsonl with everything else, a line a story in the files'
    order."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tales = generate_tales()
    contents = {f"{split}.txt": joined(tales, split) for split in COUNTS}
    lines = []
    for split in COUNTS:
        for tale in (t for t in tales if t.split == split):
            record = {k: v for k, v in vars(tale).items() if k != "text"} | {
                "log_probability": round(tale.log_probability, 9)
            }
            lines.append(json.dumps(record, separators=(",", ":")))
    contents["stories.jsonl"] = "\n".join(lines) + "\n"
    for name, content in contents.items():
        (folder / name).write_bytes(content.encode("ascii"))
    return [folder / name for name in contents]


def main() -> None:
    """Writes the corpus below the folder `--out`."""
    parser = argparse.ArgumentParser(description="Generates the tales corpus.", allow_abbrev=False)
    parser.add_argument("--out", default="data", help="folder that gets tales/")
    for path in write_tales(Path(parser.parse_args().out) / "tales"):
        print(path)


if __name__ == "__main__":
    main()
