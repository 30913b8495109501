"""The shapes: pictures that show what is said of them, answers that are right, splits that hold."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.datasets import shapes
from tinygrad_llm.datasets import shapes_words as words
from tinygrad_llm.datasets.shapes import (
    CELL,
    COLORS,
    COUNTS,
    PLACES,
    RADII,
    SHAPES,
    SIDE,
    Thing,
    answers,
    decode,
    draw,
    encode,
    everything,
    everything_asked,
    fingerprint,
    generate_shapes,
    novelty,
    pair_split,
    scaled,
    split_of,
    told,
    unnamed_color,
    unnamed_shape,
)
from tinygrad_llm.errors import ArgumentError, TokenError

DATA = Path(__file__).resolve().parents[2] / "data"
GRID = [["top left", "top", "top right"], ["left", "middle", "right"], ["bottom left", "bottom", "bottom right"]]


@pytest.fixture(scope="module")
def scenes():
    return generate_shapes()


def of(scenes, split):
    return [scene for scene in scenes if scene.split == split]


def test_everything_is_each_thing_once():
    assert len(list(everything())) == len(set(everything())) == 6 * 4 * 2 * 9


# -- pictures, read by someone who knows no more than the words -------------------------------------------------------


FORMS = {
    ("small", "circle"): ".###. ##### ##### ##### .###.",
    ("small", "square"): "##### ##### ##### ##### #####",
    ("small", "triangle"): "..#.. .###. .###. #####",
    ("small", "cross"): "..#.. ..#.. ##### ..#.. ..#..",
    ("large", "circle"): "..###.. .#####. ####### ####### ####### .#####. ..###..",
    ("large", "square"): "####### ####### ####### ####### ####### ####### #######",
    ("large", "triangle"): "...#... ..###.. ..###.. .#####. .#####. #######",
    ("large", "cross"): "..###.. ..###.. ####### ####### ####### ..###.. ..###..",
}
"""What is more than five eighths as bright as the brightest."""


def seen(picture):
    """The things in a picture, from its pixels alone: (color, shape, size, place) of each cell that stands out."""
    found = []
    ground = np.median(picture)
    for row, column in product(range(3), range(3)):
        cell = picture[:, row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL].astype(float)
        share = (cell.max(0) - ground) / (cell.max() - ground)
        if cell.max() < 110:
            continue
        inner = cell[:, share > 0.9].mean(1)
        color = min(words.COLORS, key=lambda name: np.abs(np.array(words.COLORS[name]) - inner).sum())
        bright = share > 0.625
        rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
        part = bright[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        form = " ".join("".join(".#"[int(v)] for v in line) for line in part)
        size, shape = next((key for key, told in FORMS.items() if told == form), ("?", form))
        found.append((color, shape, size, GRID[row][column]))
    return found


def test_a_picture_shows_the_things_that_are_said_to_be_in_it(scenes):
    for scene in scenes:
        assert seen(scene.picture) == [(t.color, t.shape, t.size, t.place) for t in scene.things], scene.caption


def test_pictures_are_bytes_with_a_dark_ground_and_nothing_where_no_thing_stands(scenes):
    for scene in scenes[::40]:
        assert scene.picture.shape == (3, SIDE, SIDE) and scene.picture.dtype == np.uint8
        taken = {thing.place for thing in scene.things}
        for row, column in product(range(3), range(3)):
            cell = scene.picture[:, row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
            if GRID[row][column] in taken:
                assert cell.max() > 140
            else:
                assert cell.max() <= shapes.BRIGHTEST + shapes.NOISE and np.ptp(cell) <= shapes.NOISE
                assert np.ptp(cell) > 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", words.SIZES)
def test_a_shape_covers_the_area_that_geometry_gives_it(shape, size):
    r = RADII[size] / 8  # in pixels
    bar = 2 * (r - 2)
    area = {"circle": np.pi * r**2, "square": (2 * r) ** 2, "triangle": 2 * r * 2 * r / 2, "cross": 2 * 2 * r * bar - bar**2}  # fmt: skip
    covered = shapes.coverage(shape, RADII[size])
    assert covered.shape == (CELL, CELL) and covered.max() == 16 and covered.min() == 0
    assert covered.sum() / 16 == pytest.approx(area[shape], rel=0.04)
    np.testing.assert_array_equal(covered, covered[:, ::-1])
    moved = shapes.coverage(shape, RADII["small"], down=1, right=-1)
    np.testing.assert_array_equal(moved[1:, :-1], shapes.coverage(shape, RADII["small"])[:-1, 1:])
    assert (covered[::-1] == covered).all() == (shape != "triangle")
    if shape == "triangle":
        assert covered[:4].sum() < covered[4:].sum()  # it points up


def test_no_thing_reaches_into_another_cell():
    for thing in everything():
        for seed in range(3):
            picture = draw([thing], np.random.default_rng(seed)).astype(int)
            row, column = thing.cell
            outside = np.ones((SIDE, SIDE), bool)
            outside[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = False
            assert np.ptp(picture[:, outside]) <= shapes.NOISE


@pytest.mark.parametrize("size", words.SIZES)
def test_things_do_not_always_stand_in_the_middle_and_the_ground_differs(size):
    thing = Thing("red", "square", size, "middle")
    pictures = [draw([thing], np.random.default_rng(seed)) for seed in range(80)]
    starts = {tuple(np.argwhere(p[0] > 150).min(0)) for p in pictures}
    assert len(starts) == 9
    assert len({int(p[:, 0, 0].mean()) // 8 for p in pictures}) > 4


def test_scaled_pictures_go_from_minus_one_to_one():
    found = scaled(np.array([0, 51, 255], np.uint8))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [-1, -0.6, 1], atol=1e-6)


# -- answers, by someone who reads the question -----------------------------------------------------------------------


def answered(text, things):
    """The answer that the words of a question call for."""
    grid = {(r, c): t for t in things for r, c in product(range(3), range(3)) if GRID[r][c] == t.place}
    if match := re.fullmatch(r"what color is the (\w+) \?", text):
        (thing,) = [t for t in things if t.shape == match[1]]
        return thing.color
    if match := re.fullmatch(r"what shape is at the (.+) \?", text):
        (thing,) = [t for t in things if t.place == match[1]]
        return thing.shape
    if match := re.fullmatch(r"(how large|where) is the (\w+) (\w+) \?", text):
        (thing,) = [t for t in things if (t.color, t.shape) == match.group(2, 3)]
        return thing.size if match[1] == "how large" else thing.place
    if match := re.fullmatch(r"is there a (\w+) (\w+) \?", text):
        return "yes" if any((t.color, t.shape) == match.group(1, 2) for t in things) else "no"
    if match := re.fullmatch(r"how many (.+) are there \?", text):
        asked = match[1].removesuffix(" things") if match[1] != "things" else ""
        single = {"circles": "circle", "squares": "square", "triangles": "triangle", "crosses": "cross"}.get(
            asked, asked
        )
        return ["zero", "one", "two", "three"][sum(single in ("", t.color, t.shape) for t in things)]
    match = re.fullmatch(r"what is (left of|right of|above|below) the (\w+) (\w+) \?", text)
    ((row, column),) = [at for at, t in grid.items() if (t.color, t.shape) == match.group(2, 3)]
    ways = {
        "left of": [(row, c) for c in range(column - 1, -1, -1)], "right of": [(row, c) for c in range(column + 1, 3)],
        "above": [(r, column) for r in range(row - 1, -1, -1)], "below": [(r, column) for r in range(row + 1, 3)],
    }  # fmt: skip
    first = next(grid[at] for at in ways[match[1]] if at in grid)
    return f"{first.color} {first.shape}"


def test_every_answer_is_the_one_that_the_things_give(scenes):
    asked = Counter()
    for scene in scenes:
        for question in scene.questions:
            assert question.answer == answered(question.text, scene.things), (scene.caption, question)
            asked[question.kind] += 1
        about = next(q.about for q in scene.questions if q.kind == "size")
        row, column = about.cell
        others = [t.cell for t in scene.things if t != about]
        kinds = {q.kind for q in scene.questions}
        assert ("relation" in kinds) == any((r == row) != (c == column) for r, c in others)
        assert ("color" in kinds) == all(t.shape != about.shape for t in scene.things if t != about)
    assert asked.keys() == words.QUESTIONS.keys() and min(asked.values()) > 1000
    assert all(len({q.kind for q in scene.questions}) == len(scene.questions) for scene in scenes)


def test_what_is_asked_of_one_thing_is_asked_of_a_new_one_where_there_is_one(scenes):
    for scene in scenes:
        new = {thing for thing in scene.things if novelty(thing)}
        assert bool(new) == (scene.split != "train")
        for question in scene.questions:
            assert (question.about is None) == (question.kind == "count" or question.answer == "no")
            assert question.about is None or question.about in (new or scene.things)


def test_a_caption_tells_all_things_from_left_to_right_and_top_to_bottom(scenes):
    reading = [place for row in GRID for place in row]
    for scene in scenes:
        told = re.findall(r"a (\w+) (\w+) (\w+) at the ((?:top|bottom|left|right|middle| )+?)(?: and|$)", scene.caption)
        assert told == [(t.size, t.color, t.shape, t.place) for t in scene.things]
        places = [reading.index(t.place) for t in scene.things]
        assert places == sorted(set(places)) and 1 <= len(places) <= 3
        assert len({(t.color, t.shape) for t in scene.things}) == len(scene.things)


# -- splits ----------------------------------------------------------------------------------------------------------


def test_held_out_combinations_never_occur_in_training_but_their_parts_do(scenes):
    pairs = {split: {(t.color, t.shape) for s in of(scenes, split) for t in s.things} for split in COUNTS}
    trios = {split: {(t.color, t.shape, t.place) for s in of(scenes, split) for t in s.things} for split in COUNTS}
    for split in ("val", "test"):
        assert pairs[split] - pairs["train"] == {p for p in product(COLORS, SHAPES) if pair_split(*p) == split}
        for scene in of(scenes, split):
            assert any((t.color, t.shape, t.place) not in trios["train"] for t in scene.things)
        new_places = {t for t in trios[split] - trios["train"] if t[:2] in pairs["train"]}
        assert len(new_places) >= 6 and {shape for _, shape, _ in new_places} == set(SHAPES)
    new = {split: trios[split] - trios["train"] for split in ("val", "test")}
    assert not new["val"] & new["test"] and not pairs["val"] - pairs["train"] & pairs["test"] - pairs["train"]
    assert {color for color, _ in pairs["train"]} == set(COLORS) and {shape for _, shape in pairs["train"]} == set(
        SHAPES
    )
    assert len(pairs["train"]) == 18 and len({color for color, shape in pairs["test"] - pairs["train"]}) == 4
    assert {place for *_, place in trios["train"]} == set(PLACES)


def test_training_does_not_even_speak_of_a_pair_that_is_held_out(scenes):
    held_out = {f"{c} {s}" for c, s in product(COLORS, SHAPES) if pair_split(c, s) != "train"}
    assert len(held_out) == 6
    for scene in of(scenes, "train"):
        said = " ; ".join([scene.caption, *(f"{q.text} {q.answer}" for q in scene.questions)])
        assert not any(pair in said for pair in held_out)
    spoken = {q.text.split(" a ")[1] for s in of(scenes, "test") for q in s.questions if q.kind == "exists"}
    assert held_out & {t.removesuffix(" ?") for t in spoken}


def test_a_thing_is_new_by_its_pair_or_else_by_its_place():
    shares = Counter((split_of(thing), novelty(thing)) for thing in everything())
    assert shares == {
        ("train", ""): 2 * 18 * 8, ("test", "pair"): 2 * 4 * 9, ("val", "pair"): 2 * 2 * 9,
        ("test", "place"): shares["test", "place"], ("val", "place"): 36 - shares["test", "place"],
    }  # fmt: skip
    assert 12 <= shares["test", "place"] <= 24
    by_pair = Counter((t.color, t.shape) for t in everything() if novelty(t) == "place")
    assert set(by_pair.values()) == {2} and len(by_pair) == 18  # each in one place, in two sizes


def test_pictures_with_a_new_pair_are_about_as_many_as_with_a_new_place(scenes):
    for split in ("val", "test"):
        kinds = Counter(kind for s in of(scenes, split) for kind in {novelty(t) for t in s.things} - {""})
        assert 0.7 < kinds["place"] / kinds["pair"] < 1.3


# -- what a guess would say ------------------------------------------------------------------------------------------


def test_yes_is_right_as_often_as_was_wanted_of_each_pair(scenes):
    by_pair: dict = {}
    for scene in of(scenes, "train"):
        (question,) = [q for q in scene.questions if q.kind == "exists"]
        by_pair.setdefault(question.text, []).append(question.answer == "yes")
    shares = [np.mean(v) for v in by_pair.values()]
    assert len(by_pair) == 18 and 0.45 < min(shares) and max(shares) < 0.55
    assert np.mean([y for v in by_pair.values() for y in v]) == pytest.approx(0.5, abs=0.04)
    for yes, low, high in ((0.9, 0.87, 0.93), (1.0, 1, 1), (0.0, 0, 0)):
        found = answers(generate_shapes(1, {"train": 800}, yes))["exists"]
        assert low <= found["yes"] / 800 <= high


def test_what_yes_is_right_for_changes_nothing_else():
    few = {"train": 60, "test": 20}
    for a, b in zip(generate_shapes(1, few), generate_shapes(1, few, yes=0.9)):
        np.testing.assert_array_equal(a.picture, b.picture)
        kept = [[q for q in s.questions if q.kind != "exists"] for s in (a, b)]
        assert a.things == b.things and kept[0] == kept[1]


def test_parts_that_are_there_but_not_together_are_asked_for(scenes):
    """Whoever knows which colors and which shapes there are, and not which color is on which shape, is often wrong."""
    apart = together = 0
    for scene in of(scenes, "train"):
        (question,) = [q for q in scene.questions if q.kind == "exists"]
        color, shape = question.text.split()[3:5]
        if any(t.color == color for t in scene.things) and any(t.shape == shape for t in scene.things):
            apart, together = apart + (question.answer == "no"), together + (question.answer == "yes")
    assert apart > 0.35 * together


def test_no_answer_is_a_good_guess(scenes):
    most = {"color": 0.25, "shape": 0.32, "size": 0.54, "place": 0.16, "relation": 0.1, "count": 0.55, "exists": 0.54}
    for kind, counts in answers(of(scenes, "train")).items():
        assert counts.most_common(1)[0][1] / counts.total() < most[kind], (kind, counts)
        assert counts.total() > 0.3 * COUNTS["train"]


# -- colors without a name, and all that can be asked -----------------------------------------------------------------


def test_a_thing_can_be_painted_in_any_color_and_all_else_stays():
    things = [Thing("red", "square", "large", "top left"), Thing("white", "cross", "small", "bottom")]
    named, painted = (
        draw(things, np.random.default_rng(3), paint) for paint in (None, [(90, 200, 150), (200, 90, 60)])
    )
    same = (named == painted).all(0)
    assert same[:9, 9:].all() and same[18:, :9].all() and not same[2:7, 2:7].any()
    for (row, column), tone in (((4, 4), (90, 200, 150)), ((22, 13), (200, 90, 60))):
        assert (np.array(tone) - painted[:, row, column].astype(int) <= shapes.NOISE).all()
        assert (painted[:, row, column] <= tone).all()
    np.testing.assert_array_equal(
        draw(things, np.random.default_rng(3), [words.COLORS[t.color] for t in things]), named
    )


def test_colors_without_a_name_are_bright_various_and_far_from_those_with_one():
    rng = np.random.default_rng(0)
    tones = np.array([unnamed_color(rng) for _ in range(400)])
    named = np.array(list(words.COLORS.values()))
    assert np.abs(tones[:, None] - named).max(2).min() >= 80
    assert tones.min() >= 20 and tones.max() <= 240 and tones.max(1).min() >= 100 and (tones.std(0) > 25).all()
    assert len({tuple(tone) for tone in tones.tolist()}) > 390


def test_shapes_without_a_name_are_blocks_as_wide_as_others_and_unlike_each_of_them():
    rng, found = np.random.default_rng(0), {"small": [], "large": []}
    for size, forms in found.items():
        for _ in range(300):
            form = unnamed_shape(rng, size)
            assert form.shape == (CELL, CELL) and 0 <= form.min() and 8 < form.max() <= 16
            forms.append(form)
            for shape, down, right in product(SHAPES, (-1, 0, 1), (-1, 0, 1)):
                usual = shapes.coverage(shape, RADII[size], down, right)
                assert np.abs(usual - form).sum() > (0.1 if size == "small" else 0.12) * 16 * (RADII[size] / 4) ** 2
        assert len({form.tobytes() for form in forms}) > 290
        ever = np.array(forms).sum(0) > 0
        widest = np.array([shapes.coverage("square", RADII[size], *at) for at in product((-1, 0, 1), repeat=2)]).sum(0)
        np.testing.assert_array_equal(ever, widest > 0)  # together they go as far as squares do, and no further
    assert np.mean(found["small"]) < 0.7 * np.mean(found["large"])
    thing = Thing("red", "circle", "large", "middle")
    usual, other = (
        draw([thing], np.random.default_rng(1), None, forms) for forms in (None, [unnamed_shape(rng, "large")])
    )
    same = (usual == other).all(0)
    assert same[:9].all() and same[18:].all() and not same[9:18, 9:18].all()


BLOCKS = {
    "circle": [".##.", "####", "####", ".##."], "square": ["####"] * 4,
    "triangle": ["....", ".##.", ".##.", "####"], "cross": [".##.", "####", "####", ".##."],
}  # fmt: skip


@pytest.mark.parametrize("size", words.SIZES)
def test_shapes_without_a_name_have_five_blocks_at_least_and_differ_in_three_from_every_shape(size, monkeypatch):
    monkeypatch.setattr(shapes, "_per_pixel", lambda points: points)  # what is covered, point by point
    named = [np.array([[c == "#" for c in line] for line in lines]) for lines in BLOCKS.values()]
    rng, wide = np.random.default_rng(1), RADII[size]  # in points, since a point is as wide as two eighths of a pixel
    block = wide // 4
    for _ in range(1500):
        points, fits = unnamed_shape(rng, size), []
        for down, right in product((-4, 0, 4), repeat=2):
            first = [(36 - wide) // 2 + shift for shift in (down, right)]
            inner = points[first[0] : first[0] + wide, first[1] : first[1] + wide]
            blocks = inner[::block, ::block]
            if inner.sum() == points.sum() and (np.kron(blocks, np.ones((block, block))) == inner).all():
                fits.append(blocks)
        assert len(fits) == 1 and fits[0].sum() >= 5
        assert min((fits[0] != form).sum() for form in named) >= 3


def test_everything_is_asked_of_each_thing_and_no_is_as_often_right_as_yes(scenes):
    some = of(scenes, "train")[:300] + of(scenes, "test")[:50]
    for scene, asked in zip(some, everything_asked(some, 1), strict=True):
        assert all(q.answer == answered(q.text, scene.things) for q in asked)
        for thing in scene.things:
            alone = sum(t.shape == thing.shape for t in scene.things) == 1
            kinds = Counter(q.kind for q in asked if q.about == thing)
            assert kinds == Counter({"size": 1, "place": 1, "shape": 1, "exists": 1} | ({"color": 1} if alone else {}))
        absent = [q for q in asked if q.about is None]
        assert [(q.kind, q.answer) for q in absent] == [("exists", "no")] * len(scene.things)


def test_all_that_is_asked_in_training_speaks_of_no_pair_that_is_held_out_and_no_pair_tells_the_answer(scenes):
    held_out = {f"{c} {s}" for c, s in product(COLORS, SHAPES) if pair_split(c, s) != "train"}
    by_pair: dict = {}
    for asked in everything_asked(of(scenes, "train"), 1):
        for q in asked:
            assert not any(pair in f"{q.text} {q.answer}" for pair in held_out)
            if q.kind == "exists":
                by_pair.setdefault(q.text, []).append(q.answer == "yes")
    shares = [np.mean(v) for v in by_pair.values()]
    assert len(by_pair) == 18 and 0.49 < min(shares) and max(shares) < 0.51


def test_the_seed_decides_what_is_asked(scenes):
    some = of(scenes, "train")[:50]
    assert everything_asked(some, 1) == everything_asked(some, 1) != everything_asked(some, 2)


# -- words, seeds, errors --------------------------------------------------------------------------------------------


def test_every_word_is_in_the_vocabulary_once_and_is_used(scenes):
    used = {
        w for s in scenes for text in (s.caption, *(f"{q.text} {q.answer}" for q in s.questions)) for w in text.split()
    }
    assert len(set(words.VOCABULARY)) == len(words.VOCABULARY) < 64
    assert used == set(words.VOCABULARY[len(words.SPECIAL) :])
    assert words.VOCABULARY[: words.END + 1] == ("<pad>", "<picture>", "<start>", "<end>") and words.PAD == 0
    for scene in scenes[::100]:
        assert decode([words.START, *encode(scene.caption), words.END, words.PAD]) == scene.caption
    with pytest.raises(TokenError, match="zebra"):
        encode("is there a zebra ?")


def test_the_things_that_a_caption_names_are_those_of_its_picture(scenes):
    for scene in scenes[::20]:
        assert told(scene.caption) == list(scene.things)
    thing = Thing("red", "circle", "large", "top left")
    one = "a large red circle at the top left"
    assert told(f"{one} and a red circle at the top and {one} and a") == [thing, None, thing, None]
    assert told("") == [None] and told("a large red circle at the") == [None]


def test_scenes_are_those_of_their_seed_and_of_their_split_alone():
    first = generate_shapes(1, {"train": 30, "val": 5, "test": 5})
    assert fingerprint(generate_shapes(1, {"train": 30, "val": 5, "test": 5})) == fingerprint(first)
    assert fingerprint(generate_shapes(1, {"test": 5})) == fingerprint(of(first, "test"))
    assert fingerprint(generate_shapes(1, {"train": 20})) == fingerprint(first[:20])
    other = generate_shapes(2, {"train": 30})
    assert len({s.caption for s in other} & {s.caption for s in first[:30]}) < 8
    assert dict(COUNTS) == {"train": 3000, "val": 300, "test": 600} and shapes.SEED == 2026


def test_the_fingerprint_sees_every_part():
    first = generate_shapes(1, {"train": 3})
    changed = first[1].picture.copy()
    changed[2, 3, 4] ^= 1
    for other in (
        [first[0], shapes.Scene("train", first[1].things, changed, first[1].questions), first[2]],
        [first[0], shapes.Scene("train", first[1].things, first[1].picture, first[1].questions[:-1]), first[2]],
        [first[0], shapes.Scene("train", first[0].things, first[1].picture, first[1].questions), first[2]],
        first[:2],
    ):
        assert fingerprint(other) != fingerprint(first)


def test_the_corpus_is_the_one_that_is_told_of(scenes):
    assert fingerprint(scenes) in (DATA / "SOURCES.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", [{"yes": 1.1}, {"yes": -0.1}, {"counts": {"dev": 3}}])
def test_what_there_is_not_is_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        generate_shapes(**wrong)
