"""The two figures of a report hold what they are given, fit a phone, and refuse what cannot be drawn."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize.dark import DARK
from tinygrad_llm.visualize.marks import Circle, Rectangle, Text
from tinygrad_llm.visualize.reliability import LEFT, SIDE, TOP, reliability_figure
from tinygrad_llm.visualize.win_rates import WIDTH, win_rate_figure

NAN = float("nan")
EDGES, COUNTS, SURE, RIGHT = [0, 0.25, 0.5, 0.75, 1], [4, 0, 0, 1], [0.2, NAN, NAN, 0.9], [0.5, NAN, NAN, 1.0]


def reliability():
    return reliability_figure(EDGES, COUNTS, SURE, RIGHT, title="T", subtitle="S")


def test_each_bin_that_has_examples_is_a_dot_where_it_belongs():
    dots = [mark for mark in reliability().marks if isinstance(mark, Circle)]
    places = [(LEFT + SIDE * 0.2, TOP + SIDE * 0.5), (LEFT + SIDE * 0.9, TOP)]
    np.testing.assert_allclose([dot.at for dot in dots], places)
    assert dots[0].radius > dots[1].radius


def test_counts_stand_below_as_high_as_they_are_many():
    bars = [mark for mark in reliability().marks if isinstance(mark, Rectangle)]
    assert [bar.height for bar in bars] == [64, 16] and [bar.at[0] for bar in bars] == [
        LEFT + 1,
        LEFT + SIDE * 0.75 + 1,
    ]
    assert "0.20 sure, 0.50 right (4)" in reliability().description


@pytest.mark.parametrize(
    "given", [([0, 1], [0], [NAN], [NAN]), ([0, 1], [1], [0.5], [0.5, 0.5]), ([0], [], [], [])], ids=str
)
def test_what_has_no_examples_or_does_not_fit_is_refused(given):
    with pytest.raises(ArgumentError, match="reliability_figure"):
        reliability_figure(*given, title="T")


def wins(counts, names=("A", "B")):
    return win_rate_figure(counts, names, title="T")


def test_a_bar_is_parted_as_wins_ties_and_losses_are():
    figure = wins({"BLEU": (5, 1, 4)})
    bars = [mark for mark in figure.marks if isinstance(mark, Rectangle)][3:]
    shares = np.array([bar.width for bar in bars])
    np.testing.assert_allclose(shares / shares.sum(), [0.5, 0.1, 0.4])
    np.testing.assert_allclose([bar.at[0] for bar in bars[1:]], [bar.at[0] + bar.width for bar in bars[:-1]])
    told = [mark.words for mark in figure.marks if isinstance(mark, Text)]
    assert "50%" in told and "40%" in told and "10%" not in told  # no room for it
    assert "BLEU: 5 won, 1 as good, 4 lost" in figure.description
    assert len([m for m in wins({"x": (0, 3, 0)}).marks if isinstance(m, Rectangle)]) == 4


@pytest.mark.parametrize("counts", [{}, {"x": (0, 0, 0)}, {"x": (1, -1, 2)}], ids=str)
def test_nothing_to_compare_is_refused(counts):
    with pytest.raises(ArgumentError, match="win_rate_figure"):
        wins(counts)


def test_a_phone_shows_them_as_they_are_in_the_dark_too():
    long = wins({"ROUGE-Lsum": (5, 1, 4)}, ("a/very/long/path/to/a/model/" * 3, "b"))
    for figure in (reliability(), wins({"BLEU": (5, 1, 4)}), long):
        assert figure.paper[2] <= WIDTH == 400
        colors = set(re.findall("(?:fill|stroke)='(#[^']*|white)'", figure.svg))
        assert colors <= DARK.keys()
