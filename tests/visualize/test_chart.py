"""Charts: each mark stands where its number says, and what cannot be drawn is refused."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor, Value
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize import bar_chart, graph_figure, heat_map, line_chart
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


def test_a_heat_map_has_a_cell_an_entry_and_the_largest_is_darkest():
    values = np.array([[0.0, 0.5], [1.0, 0.2]])
    figure = heat_map(values, ["a", "b"], ["c", "d"], title="t", numbers=True)
    cells = marks(figure, "rect")[1:]
    assert [c.get("fill") for c in cells] == [shade(v) for v in values.ravel()]
    assert shade(0) == "#ffffff" and shade(1) == "#093f8c"
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
