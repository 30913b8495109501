"""`shapes`: small pictures of one to three colored things, with captions, and questions whose answers are known.

    picture    (3, 27, 27) bytes: three by three cells, a thing in some of them
    caption    a large red circle at the top left and a small blue square at the middle
    question   what is left of the blue square ?        nothing is asked that the picture does not answer

Splits hold out combinations: a color and a shape that meet in one thing of val or test (a new pair), or a color, a
shape and a place (a new place), never do so in train, nor in its captions and questions; each part does with others.
Whether there is a thing is asked so that "yes" is right as often as was wanted, half of the time if nothing else was.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from tinygrad_llm.datasets import shapes_words as words
from tinygrad_llm.datasets.draws import one_of
from tinygrad_llm.errors import ArgumentError, TokenError

SEED, COUNTS = 2026, {"train": 3000, "val": 300, "test": 600}
SIDE, CELL, FINE = 27, 9, 4
"""Pixels of a picture's side and of a cell's; points of a pixel's side that say how much of it a shape covers."""
RADII, THIN = {"small": 20, "large": 28}, 16
"""In eighths of a pixel, half of what is 5 or 7 pixels wide; and by how much a bar of a cross is thinner."""
HOW_MANY = (1, 2, 2, 3, 3)
"""Things in a picture, each of these alike."""
DARKEST, BRIGHTEST, NOISE = 16, 56, 12
DIMMEST, BRIGHTEST_TONE, STANDS_OUT, FAR = 20, 241, 100, 80
"""Of colors without a name: the range of a channel, what the brightest one reaches, and how far from a name."""
NEAR = 0.9
"""How often a thing that is not there, but is asked for, has something in common with those that are."""
COLORS, SHAPES, PLACES = tuple(words.COLORS), tuple(words.SHAPES), words.PLACES
IDS = {word: i for i, word in enumerate(words.VOCABULARY)}


@dataclass(frozen=True)
class Thing:
    """What stands in a cell of the picture."""

    color: str
    shape: str
    size: str
    place: str

    @property
    def cell(self) -> tuple[int, int]:
        """Its row and column."""
        return divmod(PLACES.index(self.place), 3)


@dataclass(frozen=True)
class Question:
    """kind is a key of shapes_words.QUESTIONS; `about` the thing that is asked about, None for none or several."""

    kind: str
    text: str
    answer: str
    about: Thing | None


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture (3, 27, 27) of bytes, the things in it in reading order, and a question of each kind that it allows."""

    split: str
    things: tuple[Thing, ...]
    picture: np.ndarray
    questions: tuple[Question, ...]

    @property
    def caption(self) -> str:
        """All that is in the picture."""
        return " and ".join(words.CAPTION.format(**vars(thing)) for thing in self.things)


def pair_split(color: str, shape: str) -> str:
    """Of 24 pairs four are the test's alone, two val's, and each color and shape meets others in train."""
    c, s = COLORS.index(color), SHAPES.index(shape)
    return "test" if (c + s) % 6 == 0 else "val" if (c + s) % 6 == 3 and s < 2 else "train"


def split_of(thing: Thing) -> str:
    """The split that may show the thing: its pair's; and of each pair in train one place of nine is val's or test's."""
    c, s = COLORS.index(thing.color), SHAPES.index(thing.shape)
    held_out = (c + 2 * s + PLACES.index(thing.place)) % len(PLACES) == 0
    split = pair_split(thing.color, thing.shape)
    return split if split != "train" or not held_out else "test" if (c + s) % 2 else "val"


def novelty(thing: Thing) -> str:
    """What of the thing never met in train: "pair", "place", or "" for one that train may show."""
    if split_of(thing) == "train":
        return ""
    return "place" if pair_split(thing.color, thing.shape) == "train" else "pair"


def generate_shapes(seed: int = SEED, counts: dict[str, int] | None = None, yes: float = 0.5) -> list[Scene]:
    """So many scenes of each split as `counts` says. Those of a split follow from the seed, whatever the others are.

    yes  how often "is there a ... ?" is asked of what is there. The pictures and all else do not depend on it.

    In val and test each scene has a thing that train never shows, and what is asked about one thing is asked about it.
    """
    if not 0 <= yes <= 1:
        raise ArgumentError("yes", "a share in [0, 1]", yes)
    found = []
    for split, count in (COUNTS if counts is None else counts).items():
        if split not in COUNTS:
            raise ArgumentError("counts", " or ".join(COUNTS), repr(split))
        place = list(COUNTS).index(split)
        rng, asking = np.random.default_rng([seed, place]), np.random.default_rng([seed, place, 1])
        balance: Counter[tuple[str, str]] = Counter()
        for _ in range(count):
            things = _draw_things(split, rng)
            found.append(Scene(split, things, draw(things, rng), _questions(split, things, asking, yes, balance)))
    return found


def _draw_things(split: str, rng: np.random.Generator) -> tuple[Thing, ...]:
    """No two are of one color and one shape; out of train, pictures with a new pair are as many as with a new place."""
    new = "" if split == "train" else one_of(rng, ("pair", "place"))
    while True:
        places = rng.permutation(len(PLACES))[: one_of(rng, HOW_MANY)]
        things = tuple(
            Thing(one_of(rng, COLORS), one_of(rng, SHAPES), one_of(rng, words.SIZES), PLACES[place])
            for place in sorted(places.tolist())
        )
        allowed = {split_of(thing) for thing in things} <= {"train", split} and new in map(novelty, things)
        if allowed and len({(t.color, t.shape) for t in things}) == len(things):
            return things


# -- the picture -----------------------------------------------------------------------------------------------------


def draw(
    things: Iterable[Thing],
    rng: np.random.Generator,
    paint: Iterable[Any] | None = None,
    forms: Iterable[np.ndarray] | None = None,
) -> np.ndarray:
    """The things on a dark ground with some noise, each on the middle of its cell or a pixel off it.

    paint  red, green and blue for each thing, in the place of what its color's name says.
    forms  for each thing what it covers of its cell, as `coverage` has it, in the place of its shape.

    -> (3, 27, 27) bytes, by whole numbers alone, the same on every machine.
    """
    things = list(things)
    paints = [words.COLORS[thing.color] for thing in things] if paint is None else list(paint)
    ground = int(rng.integers(DARKEST, BRIGHTEST + 1))
    picture = ground + rng.integers(0, NOISE + 1, (3, SIDE, SIDE))
    covers = [None] * len(things) if forms is None else list(forms)
    for thing, tone, form in zip(things, paints, covers, strict=True):
        usual = coverage(thing.shape, RADII[thing.size], *rng.integers(-1, 2, 2).tolist())
        covered = usual if form is None else form
        row, column = (CELL * i for i in thing.cell)
        part = picture[:, row : row + CELL, column : column + CELL]
        color = np.array(tone)[:, None, None] - rng.integers(0, NOISE + 1, part.shape)
        part[:] = (part * (FINE**2 - covered) + color * covered) // FINE**2
    return picture.astype(np.uint8)


def unnamed_color(rng: np.random.Generator) -> tuple[int, int, int]:
    """Red, green and blue that stand out from the ground, and differ in one of them by at least FAR from every color
    that has a name here."""
    named = np.array(list(words.COLORS.values()))
    while True:
        tone = rng.integers(DIMMEST, BRIGHTEST_TONE, 3)
        if tone.max() >= STANDS_OUT and abs(named - tone).max(1).min() >= FAR:
            return int(tone[0]), int(tone[1]), int(tone[2])


def unnamed_shape(rng: np.random.Generator, size: str) -> np.ndarray:
    """What a thing covers that has no name here: four by four blocks, some of them full.  -> (9, 9) integers to 16

    It is as wide as other things, as little off its place, and differs in three blocks at least from every shape.
    """
    wide = RADII[size] * FINE // 4  # in points
    first = (CELL * FINE - wide) // 2 + FINE * rng.integers(-1, 2, 2)
    while True:
        blocks = rng.integers(0, 2, (4, 4))
        if 5 <= blocks.sum() and min((blocks != form).sum() for form in _block_forms()) >= 3:
            break
    found = np.zeros((CELL * FINE, CELL * FINE), int)
    found[first[0] : first[0] + wide, first[1] : first[1] + wide] = np.kron(
        blocks, np.ones((wide // 4, wide // 4), int)
    )
    return _per_pixel(found)


def _block_forms() -> list[np.ndarray]:
    """Each shape in four by four blocks, which are full where it covers half of them."""
    wide = RADII["large"] * FINE // 4
    first = (CELL * FINE - wide) // 2
    middles = [_inside(shape, RADII["large"])[first : first + wide, first : first + wide] for shape in SHAPES]
    return [m.reshape(4, wide // 4, 4, wide // 4).mean((1, 3)) >= 0.5 for m in middles]


def coverage(shape: str, radius: int, down: int = 0, right: int = 0) -> np.ndarray:
    """How many of the 16 points in each pixel of a cell lie in the shape.  -> (9, 9) integers"""
    return _per_pixel(_inside(shape, radius, down, right))


def _per_pixel(points: np.ndarray) -> np.ndarray:
    return points.reshape(CELL, FINE, CELL, FINE).sum((1, 3))


def _inside(shape: str, radius: int, down: int = 0, right: int = 0) -> np.ndarray:
    """Which points of a cell lie in the shape.  -> (36, 36) booleans"""
    points = 2 * np.arange(CELL * FINE) + 1 - CELL * FINE  # odd numbers, in eighths of a pixel from the middle
    v, u = np.meshgrid(points - 8 * down, points - 8 * right, indexing="ij")
    far, near = np.maximum(abs(u), abs(v)), np.minimum(abs(u), abs(v))
    forms = {
        "circle": u * u + v * v <= radius * radius,
        "square": far <= radius,
        "triangle": (2 * abs(u) <= v + radius) & (v <= radius),
        "cross": (far <= radius) & (near <= radius - THIN),
    }
    return forms[shape]


def scaled(pictures: Any) -> np.ndarray:
    """Bytes as a model takes them: float32 from -1 to 1."""
    return np.asarray(pictures, np.float32) / np.float32(127.5) - 1


# -- the questions ---------------------------------------------------------------------------------------------------


def _questions(
    split: str, things: tuple[Thing, ...], rng: np.random.Generator, yes: float, balance: Counter[tuple[str, str]]
) -> tuple[Question, ...]:
    """One of each kind that the scene allows. Always as many numbers are drawn, whatever `yes` is.

    balance  of each pair, how much more often "yes" was right than "no"; it is kept here.
    """
    new = [thing for thing in things if novelty(thing)] or things
    about = one_of(rng, new)
    found = [
        _asked("size", about, about.size),
        _asked("place", about, about.place),
        _asked("shape", about, about.shape),
    ]
    if _alone(about, things):
        found.append(_asked("color", about, about.color))
    neighbors = [(r, other) for r in words.RELATIONS if (other := _neighbor(about, r, things))]
    if neighbors:
        relation, other = one_of(rng, neighbors)
        found.append(_asked("relation", about, f"{other.color} {other.shape}", relation=relation))
    found.append(_count(things, rng))
    wanted, absent = rng.random() < yes, _absent(split, things, rng, balance)
    color, shape = (about.color, about.shape) if wanted else absent
    balance[color, shape] += 1 if wanted else -1
    text = words.QUESTIONS["exists"].format(color=color, shape=shape)
    found.append(Question("exists", text, "yes" if wanted else "no", about if wanted else None))
    return tuple(found)


def everything_asked(scenes: Sequence[Scene], seed: int) -> list[tuple[Question, ...]]:
    """For each scene all questions about each of its things, and for each thing one for a thing that is not there.

    Those are drawn as in `generate_shapes`: a pair alone does not tell the answer.
    """
    rng, balance, found = np.random.default_rng(seed), Counter[tuple[str, str]](), []
    for scene in scenes:
        asked = []
        for thing in scene.things:
            kinds = [
                kind for kind in ("size", "place", "shape", "color") if kind != "color" or _alone(thing, scene.things)
            ]
            asked += [_asked(kind, thing, getattr(thing, kind)) for kind in kinds]
            asked.append(_asked("exists", thing, "yes"))
            balance[thing.color, thing.shape] += 1
            color, shape = _absent(scene.split, scene.things, rng, balance)
            balance[color, shape] -= 1
            asked.append(Question("exists", words.QUESTIONS["exists"].format(color=color, shape=shape), "no", None))
        found.append(tuple(asked))
    return found


def _alone(thing: Thing, things: Iterable[Thing]) -> bool:
    """Whether no other thing has its shape, so that the shape names it."""
    return sum(other.shape == thing.shape for other in things) == 1


def _asked(kind: str, about: Thing, answer: str, **more: str) -> Question:
    return Question(kind, words.QUESTIONS[kind].format(**vars(about), **more), answer, about)


def _neighbor(thing: Thing, relation: str, things: Iterable[Thing]) -> Thing | None:
    """The nearest thing on the line that leads there from a thing."""
    down, right = words.RELATIONS[relation]
    row, column = thing.cell
    for step in (1, 2):
        for other in things:
            if other.cell == (row + step * down, column + step * right):
                return other
    return None


def _count(things: tuple[Thing, ...], rng: np.random.Generator) -> Question:
    """How many things there are, or those of a color or a shape: one that occurs or, as often, any."""
    kinds = ["things", *(f"{t.color} things" for t in things), *(words.SHAPES[t.shape] for t in things)]
    what = one_of(rng, [one_of(rng, kinds), one_of(rng, [f"{c} things" for c in COLORS] + list(words.SHAPES.values()))])
    number = sum(what in ("things", f"{t.color} things", words.SHAPES[t.shape]) for t in things)
    return Question("count", words.QUESTIONS["count"].format(what=what), words.COUNTS[number], None)


def _absent(
    split: str, things: tuple[Thing, ...], rng: np.random.Generator, balance: Counter[tuple[str, str]]
) -> tuple[str, str]:
    """A color and a shape that the picture does not show together, though the split may: as a rule both are there, or
    one. Of those that do, one whose answer was "yes" most of the time, so that a pair alone tells nothing."""
    there = {(t.color, t.shape) for t in things}
    colors, shapes = ({pair[i] for pair in there} for i in (0, 1))
    pairs = [(c, s) for c in COLORS for s in SHAPES if (c, s) not in there and pair_split(c, s) in ("train", split)]
    both = [(c, s) for c, s in pairs if c in colors and s in shapes]
    one = [(c, s) for c, s in pairs if (c in colors) != (s in shapes)]
    options = (both or one) if rng.random() < NEAR else pairs
    return max((options[i] for i in rng.permutation(len(options))), key=lambda pair: balance[pair])


# -- words and reports -----------------------------------------------------------------------------------------------


def encode(text: str) -> list[int]:
    """The ids of a text's words.  Raises TokenError for a word that is not in the vocabulary."""
    unknown = [word for word in text.split() if word not in IDS]
    if unknown:
        raise TokenError("text", f"the {len(IDS)} words of shapes", unknown[0])
    return [IDS[word] for word in text.split()]


def decode(ids: Iterable[int]) -> str:
    """The words of ids, without those that are none."""
    return " ".join(words.VOCABULARY[i] for i in ids if i >= len(words.SPECIAL))


def everything() -> Iterator[Thing]:
    """All things that there can be, 432."""
    for color, shape, size, place in product(COLORS, SHAPES, words.SIZES, PLACES):
        yield Thing(color, shape, size, place)


def told(caption: str) -> list[Thing | None]:
    """The things that a caption names, in its order; None for a part that names none, as a model may write it."""
    by_words = {words.CAPTION.format(**vars(thing)): thing for thing in everything()}
    return [by_words.get(part) for part in caption.split(" and ")]


def answers(scenes: Iterable[Scene]) -> dict[str, Counter[str]]:
    """How often each answer is right, by kind of question."""
    found: dict[str, Counter[str]] = {kind: Counter() for kind in words.QUESTIONS}
    for scene in scenes:
        for question in scene.questions:
            found[question.kind][question.answer] += 1
    return found


def fingerprint(scenes: Iterable[Scene]) -> str:
    """The SHA-256 of all pictures, captions, questions and answers."""
    found = hashlib.sha256()
    for scene in scenes:
        asked = "".join(f"{q.kind}\t{q.text}\t{q.answer}\n" for q in scene.questions)
        found.update(scene.picture.tobytes() + f"{scene.split}\t{scene.caption}\n{asked}".encode())
    return found.hexdigest()
