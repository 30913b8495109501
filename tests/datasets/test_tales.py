"""The tales: exact probabilities, honest marks, splits that hold, files that are what the generator makes."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.datasets import tales_words as words
from tinygrad_llm.datasets.locate import corpus
from tinygrad_llm.datasets.tales import (
    COUNTS,
    FAR_CHARACTERS,
    FAR_WORDS,
    acceptance_rate,
    derivations,
    draw,
    draw_texts,
    generate_tales,
    joined,
    overlap,
    split_of,
    write_tales,
)
from tinygrad_llm.datasets.tales_plots import PLOTS
from tinygrad_llm.errors import ArgumentError, DataError

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def tales():
    return generate_tales()


def test_the_files_are_what_the_generator_makes(tmp_path):
    sources = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    for path in write_tales(tmp_path):
        content = path.read_bytes()
        assert content == (corpus("tales") / path.name).read_bytes(), path.name
        assert hashlib.sha256(content).hexdigest() in sources, path.name


def test_a_story_has_one_derivation_of_the_probability_it_carries(tales):
    for tale in tales[::60]:
        (probability,) = derivations(tale.text)
        assert math.log(probability) - math.log(acceptance_rate(tale.split)) == pytest.approx(
            tale.log_probability, abs=1e-9
        )


def test_what_is_no_story_has_no_derivation(tales):
    text = tales[0].text
    for other in (text[:-1], text + " ", text.replace("the ", "a ", 1), ""):
        assert derivations(other) == []


def test_probabilities_of_first_choices_are_frequencies():
    rng = np.random.default_rng(0)
    stories = [draw(rng)[0] for _ in range(4800)]
    for counts, kinds in ((Counter(s.hero for s in stories), 24), (Counter(s.plot.name for s in stories), 8)):
        expected = 4800 / kinds
        # chi-square at one in a thousand: 49.7 for 23 degrees, 24.3 for 7
        assert len(counts) == kinds
        assert sum((c - expected) ** 2 / expected for c in counts.values()) < (49.7 if kinds == 24 else 24.3)


def test_shares_of_the_splits_add_up():
    assert sum(acceptance_rate(split) for split in COUNTS) == pytest.approx(1)
    assert acceptance_rate("train") == 0.875


def test_stories_differ_and_are_plain_text(tales):
    assert len({tale.text for tale in tales}) == len(tales) == sum(COUNTS.values())
    assert all(
        tale.text.isascii() and "[" not in tale.text and "{" not in tale.text and "  " not in tale.text
        for tale in tales
    )
    assert all(150 < len(tale.text) < 700 for tale in tales)
    assert not any(re.search(r"\ba [aeiou]", tale.text) for tale in tales)


def test_held_out_combinations_never_occur_in_training_but_their_parts_do(tales):
    pairs = {split: {(t.hero, t.plot) for t in tales if t.split == split} for split in COUNTS}
    assert not pairs["train"] & (pairs["val"] | pairs["test"]) and not pairs["val"] & pairs["test"]
    heroes, plots = zip(*pairs["train"])
    assert set(heroes) == set(words.CHILDREN) and set(plots) == {p.name for p in PLOTS}
    assert all(split_of(t.hero, next(p for p in PLOTS if p.name == t.plot)) == t.split for t in tales)
    vocabulary = {split: set(re.findall(r"\w+", joined(tales, split))) for split in COUNTS}
    assert vocabulary["val"] | vocabulary["test"] <= vocabulary["train"]


def test_marks_point_at_words_whose_antecedent_is_out_of_an_n_grams_sight(tales):
    pronouns = {p for forms in words.PRONOUNS.values() for p in forms}
    count = 0
    for tale in tales:
        for mark in tale.long_range:
            (start, stop), (first, end) = mark["span"], mark["antecedent"]
            shown, antecedent = tale.text[start:stop], tale.text[first:end]
            between = tale.text[end:start]
            assert len(between) >= FAR_CHARACTERS and len(between.split()) >= FAR_WORDS
            assert re.match(r"\W|$", tale.text[stop:]) and antecedent
            if mark["kind"] == "pronoun":
                assert shown.lower() in pronouns and antecedent in words.CHILDREN
            else:
                assert shown.lower().split()[-1] == antecedent.lower().split()[-1]
            count += 1
    assert count > 3 * len(tales)


def test_pronouns_mean_a_child_of_their_sex_and_some_resist_both_heuristics(tales):
    hard = 0
    for tale in tales:
        for pronoun in tale.pronouns:
            girl = tale.text[slice(*pronoun["span"])].lower() in words.PRONOUNS["girl"]
            assert (pronoun["means"] in words.GIRLS) == girl
            assert pronoun["sex"] in (None, pronoun["means"])
            hard += pronoun["sex"] is None and pronoun["nearest"] != pronoun["means"]
    assert hard > 500


def test_questions_are_answered_by_the_text(tales):
    for tale in tales:
        assert len(tale.questions) == 5
        for question in tale.questions:
            evidence = tale.text[slice(*question["evidence"])]
            assert question["answer"].lower().endswith(evidence.lower().split()[-1])
            assert question["question"].endswith("?") and "[" not in question["question"]
    found = next(t for t in tales if t.plot == "lost and found")
    finder = re.search(r"(\w+) found it", found.text)[1]
    assert {"question": f"Who found the {found.questions[1]['answer'].split(' ', 1)[1]}?", "answer": finder} == {
        k: found.questions[3][k] for k in ("question", "answer")
    }


def test_every_line_of_the_record_belongs_to_its_story(tales):
    lines = (corpus("tales") / "stories.jsonl").read_text(encoding="ascii").splitlines()
    stories = [
        s for split in COUNTS for s in (DATA / "tales" / f"{split}.txt").read_text(encoding="ascii").split("\n\n")[:-1]
    ]
    assert len(lines) == len(stories) == len(tales)
    for line, story in zip(lines[::50], stories[::50]):
        record = json.loads(line)
        assert story.count(record["hero"]) >= 1
        assert all(story[slice(*q["evidence"])] for q in record["questions"])


def test_overlap_counts_n_grams():
    assert overlap("a b c d", "a b x c d", 2) == 2 / 4
    assert overlap("a b c", "a b c", 3) == 1.0
    assert overlap("a b", "a b a b x", 2) == 2 / 4, "each time that one occurs"
    assert overlap("a", "a b", 2) == 0


@pytest.mark.parametrize(("text", "n"), [("a", 2), ("", 1), (" \n", 1), ("a b c", 4)])
def test_a_text_of_fewer_words_than_n_has_no_overlap(text, n):
    with pytest.raises(DataError, match=f"test text: expected at least {n} words, got {len(text.split())}"):
        overlap("a b", text, n)
    for bad in (0, 1.5):
        with pytest.raises(ArgumentError, match="n: expected a whole number"):
            overlap("a b", text, bad)


def test_texts_drawn_are_independent_stories_of_their_split_with_their_probabilities():
    for split in COUNTS:
        texts, log_ps = draw_texts(np.random.default_rng(3), 6, split)
        assert len(texts) == len(set(texts)) == len(log_ps) == 6
        for text, log_p in zip(texts, log_ps):
            (probability,) = derivations(text)
            assert math.log(probability) - math.log(acceptance_rate(split)) == pytest.approx(log_p, abs=1e-9)


@pytest.mark.parametrize("split", COUNTS)
def test_texts_drawn_are_those_of_the_corpus(split):
    wanted = generate_tales(seed=8, counts={split: 30})
    texts, log_ps = draw_texts(np.random.default_rng(8), 30, split)
    assert texts == [tale.text for tale in wanted]
    np.testing.assert_allclose(log_ps, [tale.log_probability for tale in wanted], rtol=1e-12)


def test_texts_drawn_are_for_training_where_nobody_says_otherwise():
    assert draw_texts(np.random.default_rng(8), 30)[0] == draw_texts(np.random.default_rng(8), 30, "train")[0]


def test_texts_are_drawn_in_whole_numbers_and_of_a_split():
    with pytest.raises(ArgumentError, match="count: expected a whole number of at least 1"):
        draw_texts(np.random.default_rng(0), 0)
    with pytest.raises(ArgumentError, match="split: expected train or val or test"):
        draw_texts(np.random.default_rng(0), 1, "all")
