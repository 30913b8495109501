"""The loss curve: every point where it belongs, inside the paper, and valid SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize import Figure, loss_curve, trailing_mean
from tinygrad_llm.visualize.chart import HEIGHT, WIDTH, spread
from tinygrad_llm.visualize.figure import ticks

SVG = "{http://www.w3.org/2000/svg}"
TRAIN = [(i, 4.0 - i / 100 + 0.05 * (-1) ** i) for i in range(1, 201)]
VAL = [(0, 4.1), (100, 3.0), (200, 2.1)]


def polylines(figure):
    root = ET.fromstring(figure.svg)
    return [
        [tuple(map(float, p.split(","))) for p in line.get("points").split()] for line in root.iter(SVG + "polyline")
    ]


def test_points_stand_where_the_ticks_say():
    root = ET.fromstring(loss_curve(TRAIN, VAL).svg)
    labels = [
        (float(t.get("x")), float(t.get("y")) - 4, float(t.text))
        for t in root.iter(SVG + "text")
        if t.get("text-anchor") == "end"
    ]
    steps = [
        (float(t.get("x")), float(t.text))
        for t in root.iter(SVG + "text")
        if t.get("text-anchor") == "middle" and t.text != "step"
    ]
    y_of = np.polyfit([loss for _, _, loss in labels], [y for _, y, _ in labels], 1)
    x_of = np.polyfit([s for _, s in steps], [x for x, _ in steps], 1)
    drawn = polylines(loss_curve(TRAIN, VAL))[2]
    expected = [(np.polyval(x_of, step), np.polyval(y_of, loss)) for step, loss in VAL]
    np.testing.assert_allclose(drawn, expected, atol=0.11)


@given(data=st.data())
def test_everything_lies_on_the_paper_and_is_finite(data):
    losses = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0])
    points = st.lists(st.tuples(st.integers(0, 10**6), losses), max_size=12)
    train, val = (sorted(data.draw(points)) for _ in "ab")
    if not train and not val:
        return
    figure = loss_curve(train, val, baselines={"a & b": 1.0}, title="<loss>")
    root = ET.fromstring(figure.svg)
    assert "nan" not in figure.svg and "inf" not in figure.svg
    for line in polylines(figure):
        for x, y in line:
            assert 0 <= x <= WIDTH and 0 <= y <= HEIGHT
    assert root.find(SVG + "title").text == "<loss>"


def test_ten_thousand_points_are_drawn_as_some_hundreds_with_the_last():
    train = [(i, 1 / (i + 1)) for i in range(10_000)]
    lines = polylines(loss_curve(train, []))
    assert len(lines[0]) <= 700
    assert lines[0][-1][0] == pytest.approx(610, abs=1)


def test_labels_do_not_cover_one_another():
    placed = spread([("a", 100.0, ""), ("b", 101.0, ""), ("c", 102.0, ""), ("d", 1e9, "")])
    gaps = np.diff([y for _, y, _ in placed])
    assert (gaps >= 16 - 1e-9).all() and placed[-1][1] <= HEIGHT


@given(low=st.integers(-1000, 1000), span=st.floats(1e-3, 1e6))
def test_ticks_are_round_and_inside(low, span):
    found = ticks(low, low + span)
    assert 2 <= len(found) <= 8
    steps = np.diff(found)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    mantissa = steps[0] / 10 ** np.floor(np.log10(steps[0]) + 1e-9)
    assert min(abs(mantissa - m) for m in (1, 2, 5, 10)) < 1e-5
    assert low - 1e-6 * span <= found[0] and found[-1] <= low + span * (1 + 1e-6)


def test_a_curve_says_in_words_what_it_shows(tmp_path):
    figure = loss_curve(TRAIN, VAL)
    assert figure.save(tmp_path / "a.svg").read_text() == figure.svg
    assert re.search(r"training loss from \d", figure.svg)


def test_marks_are_escaped():
    figure = Figure(10, 10, "t")
    figure.text((0, 0), "<&>")
    assert ET.fromstring(figure.svg).find(SVG + "text").text == "<&>"


@pytest.mark.parametrize(("train", "val"), [([], []), ([(0, float("nan"))], []), ([], [(0, float("inf"))])])
def test_nothing_to_draw_is_said(train, val):
    with pytest.raises(ArgumentError):
        loss_curve(train, val)


def test_a_trailing_mean_is_that_of_each_steps_last_losses():
    losses = np.random.default_rng(0).normal(size=9)
    expected = [losses[i - 4 : i].mean() for i in range(4, 10)]
    np.testing.assert_allclose(trailing_mean(losses, 4), expected, rtol=1e-12)


def test_a_loss_that_is_no_number_makes_every_mean_that_has_it_infinite():
    found = trailing_mean([1.0, 1.0, float("nan"), float("inf"), 1.0, 1.0, 1.0], 2)
    np.testing.assert_array_equal(found, [1, np.inf, np.inf, np.inf, 1, 1])


def test_a_loss_of_minus_infinity_is_one_that_has_blown_up_too():
    found = trailing_mean([1.0, -np.inf, float("nan"), 3.0, 4.0], 2)
    np.testing.assert_array_equal(found, [np.inf, np.inf, np.inf, 3.5])


@pytest.mark.parametrize("width", [0, 4, -1, 2.0, "2"])
def test_a_trailing_mean_of_no_losses_or_of_more_than_there_are_is_refused(width):
    with pytest.raises(ArgumentError):
        trailing_mean([1.0, 2.0, 3.0], width)
