"""Charts: each mark stands where its number says, and what cannot be drawn is refused."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor, Value
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize import bar_chart, graph_figure, grouped_bars, heat_map, line_chart
from tinygrad_llm.visualize.bars import BARS
from tinygrad_llm.visualize.chart import powers, shade

SVG = "{http://www.w3.org/2000/svg}"


def marks(figure, tag):
    return list(ET.fromstring(figure.svg).iter(SVG + tag))


def words(figure):
    return [t.text for t in marks(figure, "text")]


def test_on_log_axes_equal_factors_are_equal_steps():
    points = [(1.0, 1e-3), (10.0, 1e-2), (100.0, 1e-1)]
    line = marks(line_chart({"x": points}, title="t", log_x=True, log_y=True), "polyline")[0]
    places = [tuple(map(float, p.split(","))) for p in line.get("points").split()]
    assert places[1][0] - places[0][0] == pytest.approx(places[2][0] - places[1][0], abs=0.2)
    assert places[0][1] - places[1][1] == pytest.approx(places[1][1] - places[2][1], abs=0.2)
    assert places[0][1] > places[2][1]  # larger is higher


def test_every_line_has_its_name_and_baselines_are_dashed():
    figure = line_chart(
        {"a": [(0, 1), (1, 2)], "b": [(0, 2), (1, 0)]}, title="t", baselines={"chance": 0.5}, xlabel="steps"
    )
    assert {"a", "b", "chance", "steps", "t"} <= set(words(figure))
    assert len([m for m in marks(figure, "line") if m.get("stroke-dasharray")]) == 1


@pytest.mark.parametrize("points", [[], [(0, math.nan)], [(math.inf, 1)]])
def test_what_has_no_place_is_refused(points):
    with pytest.raises(ArgumentError):
        line_chart({"x": points}, title="t")
    with pytest.raises(ArgumentError):
        line_chart({"x": [(0.0, 1.0)]}, title="t", log_x=True)
    with pytest.raises(ArgumentError):
        line_chart({"x": [(1.0, 0.0)]}, title="t", log_y=True)


def test_powers_lie_within_the_range():
    assert powers(0.9, 1100) == [1, 10, 100, 1000]
    assert powers(1.0, 20.0) == [1, 2, 5, 10, 20]


def test_bars_are_as_long_as_their_numbers():
    figure = bar_chart({"one": 1.0, "three": 3.0, "none": 0.0}, title="t")
    widths = [float(r.get("width")) for r in marks(figure, "rect")[1:]]
    assert widths[1] == pytest.approx(3 * widths[0], rel=1e-3) and widths[2] == 0
    for bad in ({}, {"a": -1.0}, {"a": math.nan}):
        with pytest.raises(ArgumentError):
            bar_chart(bad, title="t")


SERIES = {"a": {"x": 1.0, "y": 4.0}, "b": {"y": 2.0, "x": 3.0}}


def bars_of(figure):
    """The rectangles that stand on the base line, from left to right, and that line's height."""
    base = float(marks(figure, "line")[-1].get("y1"))
    found = [
        {key: float(r.get(key)) for key in ("x", "y", "width", "height")} | {"fill": r.get("fill")}
        for r in marks(figure, "rect")[1:]
    ]
    standing = [r for r in found if r["y"] + r["height"] == pytest.approx(base, abs=0.2)]
    return sorted(standing, key=lambda r: r["x"]), base


def test_grouped_bars_stand_group_by_group_in_the_order_of_the_series_and_as_high_as_their_numbers():
    bars, _ = bars_of(grouped_bars(SERIES, title="t", colors={"a": "#111111", "b": "#222222"}))
    assert [b["fill"] for b in bars] == ["#111111", "#222222"] * 2
    tallest = max(b["height"] for b in bars)
    assert tallest == BARS
    assert [b["height"] / tallest for b in bars] == pytest.approx([1 / 4, 3 / 4, 1, 2 / 4], abs=1e-3)
    assert bars[1]["x"] - bars[0]["x"] < bars[2]["x"] - bars[1]["x"], "groups are apart"


@pytest.mark.parametrize(("series", "groups"), [(1, 1), (2, 5), (3, 5), (8, 6), (5, 12)])
def test_grouped_bars_and_their_words_are_inside_and_never_cover_each_other(series, groups):
    values = {f"a series of {i}": {f"the group of {g}": 1.0 + i + g for g in range(groups)} for i in range(series)}
    figure = grouped_bars(values, title="t", captions={"the group of 0": "words that explain it at some length"})
    bars, _ = bars_of(figure)
    assert len(bars) == series * groups and all(b["width"] > 1 for b in bars)
    assert all(0 <= a["x"] and a["x"] + a["width"] <= b["x"] + 0.2 for a, b in zip(bars, bars[1:]))
    assert bars[-1]["x"] + bars[-1]["width"] <= figure.width and min(b["y"] for b in bars) > 60
    for text in marks(figure, "text"):
        x, y, wide = float(text.get("x")), float(text.get("y")), 6.5 * len(text.text or "")
        left = x - wide / 2 if text.get("text-anchor") == "middle" else x
        assert 0 <= left and left + wide <= figure.width and 0 < y < figure.height, text.text


def test_grouped_bars_name_series_groups_captions_and_numbers():
    figure = grouped_bars(SERIES, title="t", subtitle="nats", captions={"x": "what x is"})
    assert {"t", "nats", "a", "b", "x", "y", "what x is", "1", "4", "3", "2"} <= set(words(figure))
    assert figure.description == "x: a 1, b 3; y: a 4, b 2"


@pytest.mark.parametrize(
    "bad", [{}, {"a": {}}, {"a": {"x": 1.0}, "b": {"y": 1.0}}, {"a": {"x": -1.0}}, {"a": {"x": math.nan}}]
)
def test_grouped_bars_of_nothing_of_other_groups_and_of_no_length_are_refused(bad):
    with pytest.raises(ArgumentError):
        grouped_bars(bad, title="t")


def test_grouped_bars_that_are_all_zero_are_drawn():
    assert all(b["height"] == 0 for b in bars_of(grouped_bars({"a": {"x": 0.0}}, title="t"))[0])


def test_a_heat_map_has_a_cell_an_entry_and_the_largest_is_darkest():
    values = np.array([[0.0, 0.5], [1.0, 0.2]])
    figure = heat_map(values, ["a", "b"], ["c", "d"], title="t", numbers=True)
    cells = marks(figure, "rect")[1:]
    assert {c.get("fill") for c in cells} == {"#093f8c"}
    assert [float(c.get("fill-opacity")) for c in cells] == pytest.approx(values.ravel(), abs=0.003)
    assert shade(0) == "#093f8c00" and shade(1) == "#093f8cff"
    assert {"a", "b", "c", "d", "0.5"} <= set(words(figure))
    for bad in (values[:1], values * np.nan):
        with pytest.raises(ArgumentError):
            heat_map(bad, ["a", "b"], ["c", "d"], title="t")


def test_the_graph_of_values_shows_numbers_gradients_and_slopes():
    a, b = Value(2.0), Value(-3.0)
    c = a * b
    d = c + a
    d.backward()
    figure = graph_figure(d, {"a": a, "b": b})
    shown = words(figure)
    assert {"a = 2", "b = -3", "-6", "-4", "grad -2", "grad 2", "grad 1"} <= set(shown)
    assert shown.count("-3") == 1 and shown.count("2") == 1  # the slopes of c: d/da = b, d/db = a
    assert len(marks(figure, "polygon")) == 4  # one arrow a use


def test_arrows_point_to_the_right():
    a = Value(1.0)
    y = ((a + a) * (a * 2.0)).tanh() + a
    y.backward()
    figure = graph_figure(y)
    lines, curves = marks(figure, "line"), marks(figure, "path")
    assert len(lines) + len(curves) == 9 and len(curves) == 1  # what skips a column goes around it
    assert all(float(m.get("x2")) > float(m.get("x1")) for m in lines)


def test_what_goes_around_comes_in_above_what_comes_straight():
    a, b = Value(2.0), Value(-3.0)
    figure = graph_figure(a * b + a)
    curve = marks(figure, "path")[0]
    bent_end = float(curve.get("d").split(",")[-1])
    straight_ends = [
        float(m.get("y2")) for m in marks(figure, "line") if m.get("x2") == curve.get("d").split()[-1].split(",")[0]
    ]
    assert straight_ends and all(bent_end < y for y in straight_ends)


def test_slopes_of_a_value_used_twice_at_once_stand_apart():
    a = Value(3.0)
    b = a * Value(2.0)
    slopes = [m for m in marks(graph_figure(b * b), "text") if m.text == "6"]
    places = [(float(m.get("x")), float(m.get("y"))) for m in slopes if m.get("font-size") == "11"]
    assert len(places) == 2 and abs(places[0][0] - places[1][0]) > 15


def test_the_graph_of_tensors_shows_shapes_and_gradients():
    w = Tensor(np.ones((3, 2)), requires_grad=True)
    y = (Tensor(np.ones((4, 3))) @ w).sum()
    y.backward(retain_graph=True)
    shown = words(graph_figure(y, {"w": w}))
    assert {"w", "matmul", "sum", "(3, 2)", "(4, 2)", "()"} <= set(shown)
    assert f"|grad| {np.linalg.norm(w.grad):.3g}" in shown


def test_a_graph_too_large_to_read_is_refused():
    y = Value(1.0)
    for _ in range(300):
        y = y + 1.0
    with pytest.raises(ArgumentError, match="at most 200"):
        graph_figure(y)
