"""Rules that count: each by hand, repetition by its definition, thresholds as the papers have them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinygrad_llm.datasets import filters
from tinygrad_llm.datasets.filters import RULES, Rule, clean_lines, dropped_by, keeps_line
from tinygrad_llm.errors import ArgumentError

PROSE = (
    "One day the fox went to the river with a stone. It had heard of the old bridge and of what lay below, and it "
    "wanted to see that for itself. There was nobody. So it sat down, looked at the slow water, and waited until dark. "
    "Then a boat came by, quite empty, and the fox jumped in and was never seen again in these parts."
)
WORDS = st.lists(st.sampled_from(["a", "bb", "ccc", "d"]), max_size=14)


def test_prose_is_kept_by_every_rule():
    assert dropped_by(PROSE) == [] and clean_lines(PROSE) == PROSE


@pytest.mark.parametrize(
    ("measure", "text", "expected"),
    [
        ("word_count", "one  two\nthree", 3),
        ("mean_word_length", "a bb ccc,", 7 / 3),
        ("mean_word_length", "", 0),
        ("symbol_ratio", "# a #b c ...", 2 / 5),
        ("symbol_ratio", "a... b… c d", 2 / 4),
        ("symbol_ratio", "", 0),
        ("bullet_share", "- a\n\n  * b\nc\n• d", 3 / 4),
        ("bullet_share", "", 0),
        ("ellipsis_share", "a...\nb…  \nc.\n", 2 / 3),
        ("alphabetic_share", "a1 22 - ä", 2 / 4),
        ("alphabetic_share", "", 0),
        ("stop_word_count", "The the THE cat, of-that; havent", 3),
        ("stop_word_count", "to be or not to be", 2),
        ("duplicate_line_share", "a\nb\na\n a \n\nc", 2 / 5),
        ("duplicate_line_characters", "aaa\nb\naaa", 3 / 7),
        ("duplicate_line_share", "", 0),
        ("duplicate_line_characters", "\n", 0),
    ],
)
def test_a_measure_by_hand(measure, text, expected):
    assert getattr(filters, measure)(text) == pytest.approx(expected, abs=1e-12)


def test_repeated_runs_by_hand():
    words = "a bb a bb a ccc".split()
    assert filters.top_ngram_share(words, 2) == pytest.approx(2 * 3 / 10)  # "a bb" twice; so is "bb a", as long
    assert filters.top_ngram_share(["x", "y", "longer", "word", "x", "y", "longer", "word"], 2) == pytest.approx(
        20 / 24
    )
    assert filters.top_ngram_share(words, 4) == 0 and filters.top_ngram_share([], 2) == 0
    # "a bb" again at 2, "bb a" again at 3: a, bb, a of places 2 to 4
    assert filters.duplicate_ngram_share(words, 2) == pytest.approx(4 / 10)
    assert filters.duplicate_ngram_share(words, 1) == pytest.approx((1 + 2 + 1) / 10)
    assert filters.duplicate_ngram_share([], 1) == 0 and filters.duplicate_ngram_share(["a"], 2) == 0


@given(WORDS, st.integers(1, 5))
@example(["a"] * 8, 3)
def test_runs_that_stood_there_before_are_what_a_search_finds(words, n):
    again = set()
    for i in range(len(words) - n + 1):
        if any(words[j : j + n] == words[i : i + n] for j in range(i)):
            again |= set(range(i, i + n))
    total = sum(map(len, words))
    expected = sum(len(words[i]) for i in again) / total if total else 0
    assert filters.duplicate_ngram_share(words, n) == pytest.approx(expected, abs=1e-12)


@given(WORDS, st.integers(1, 4))
def test_the_top_run_is_what_a_search_finds(words, n):
    runs = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    total = sum(map(len, words))
    best = max(((runs.count(run), runs.count(run) * len("".join(run))) for run in runs), default=(0, 0))
    expected = best[1] / total if best[0] > 1 else 0
    assert filters.top_ngram_share(words, n) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("share", [filters.top_ngram_share, filters.duplicate_ngram_share])
def test_runs_of_no_words_are_refused(share):
    with pytest.raises(ArgumentError, match="n: expected a whole number of at least 1, got 0"):
        share(["a"], 0)


def test_thresholds_are_those_of_the_papers():
    given = {rule.name: (rule.least, rule.most) for rule in RULES if rule.source == "Gopher"}
    inf = float("inf")
    assert given == {
        "words": (50, 100_000), "word length": (3, 10), "symbols": (-inf, 0.1), "bullets": (-inf, 0.9),
        "ellipses": (-inf, 0.3), "letters": (0.8, inf), "stop words": (2, inf), "lines again": (-inf, 0.3),
        "characters of lines again": (-inf, 0.2), "top 2-gram": (-inf, 0.2), "top 3-gram": (-inf, 0.18),
        "top 4-gram": (-inf, 0.16), "5-grams again": (-inf, 0.15), "6-grams again": (-inf, 0.14),
        "7-grams again": (-inf, 0.13), "8-grams again": (-inf, 0.12), "9-grams again": (-inf, 0.11),
        "10-grams again": (-inf, 0.10),
    }  # fmt: skip
    assert {rule.name: (rule.least, rule.most) for rule in RULES if rule.source == "C4"} == {
        "sentences": (3, inf), "braces": (-inf, 0), "lorem ipsum": (-inf, 0)
    }  # fmt: skip


def test_each_rule_measures_what_its_name_says():
    words = "a b c d e f g h i j k l m".split()
    for n in range(2, 11):
        name = f"top {n}-gram" if n < 5 else f"{n}-grams again"
        (rule,) = [rule for rule in RULES if rule.name == name]
        once, twice = words[:n], words[:n] * 2
        assert rule.measure(" ".join(once)) == 0 and rule.measure(" ".join(twice)) == (1 if n < 5 else 0.5)
        assert rule.measure(" ".join(words[: n - 1] * 2)) in (0, pytest.approx((n - 1) / (2 * n - 2)), 1) or n == 2
    for name, text in (("sentences", "A b. C d! E f?"), ("braces", "{ {{"), ("lorem ipsum", "Lorem IPSUM lorem ipsum")):
        (rule,) = [rule for rule in RULES if rule.name == name]
        assert rule.measure(text) == {"sentences": 3, "braces": 3, "lorem ipsum": 2}[name]


def test_a_page_on_the_threshold_is_kept():
    rule = Rule("x", len, 2, 3)
    assert [rule.keeps("a" * n) for n in range(1, 5)] == [False, True, True, False]
    assert dropped_by("aaaa", [rule, Rule("y", len, most=4)]) == ["x"]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("words", " ".join(PROSE.split()[:49])),
        ("word length", PROSE + " x" * 200),
        ("symbols", PROSE + " # # # # # # # # # #"),
        ("bullets", "\n".join(f"- {word} {word}x" for word in PROSE.split())),
        ("ellipses", "\n".join(f"{word} {word}x..." for word in PROSE.split())),
        ("letters", PROSE + " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22"),
        ("stop words", re.sub(r"\b(?:the|of|and|to|that|with)\b", "zu", PROSE)),
        ("sentences", PROSE.replace(".", ";")),
        ("braces", PROSE + " {"),
        ("lorem ipsum", PROSE + " Lorem ipsum."),
        ("lines again", "\n".join([PROSE, *["So it was."] * 2])),
        ("10-grams again", PROSE + " " + " ".join(PROSE.split()[:12])),
    ],
)
def test_each_fault_is_found_by_its_rule(fault, text):
    assert fault in dropped_by(text)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Then it went home again.", True),
        ('It said: "I go home now."', True),
        ("Does it ever come home?", True),
        ("Then it went home again", False),
        ("Then it went home again...", False),
        ("It went home then.", False),  # four words
        ("Please turn on Javascript to read.", False),
        ("Please turn on JAVASCRIPT to read.", False),
        ("Read our Privacy Policy before you go.", False),
        ("By going on you accept the terms of use.", False),
        ("This page uses cookies to be better.", False),
    ],
)
def test_a_line_is_kept_where_it_is_prose(line, kept):
    assert keeps_line(line) is kept


def test_a_page_is_left_its_lines_of_prose():
    text = "Home | About\n\n  One day the fox went out.  \nClick here\nIt never came back, they say.\n"
    assert clean_lines(text) == "One day the fox went out.\nIt never came back, they say." and clean_lines("Home") == ""


def test_sentences_end_before_space_alone():
    told = '"Good day!" said he. It cost 3.50 then. "Go." So he went'
    assert filters.sentences(told) == ['"Good day!', "said he.", "It cost 3.50 then.", '"Go.']
    assert filters.sentences("no end") == [] and filters.sentences("...") == []
