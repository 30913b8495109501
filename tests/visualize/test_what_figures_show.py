"""Each option of a figure shows in it, and each mark says what it was made of."""

from __future__ import annotations

import copy
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tinygrad_llm import Tensor, nn
from tinygrad_llm.autograd import Value
from tinygrad_llm.visualize import (
    Figure,
    ablate_heads,
    attention_figure,
    attention_text,
    attention_weights,
    bar_chart,
    graph_figure,
    heat_map,
    line_chart,
    loss_curve,
    next_token_bars,
)
from tinygrad_llm.visualize.chart import BOTTOM, HEIGHT, TOP, shade, spread, subsampled
from tinygrad_llm.visualize.curves import smoothed
from tinygrad_llm.visualize.figure import ticks

SVG = "{http://www.w3.org/2000/svg}"


def marks(figure, tag):
    return list(ET.fromstring(figure.svg).iter(SVG + tag))


def color_of(mark):
    """Its fill with its opacity, as `shade` writes it."""
    return f"{mark.get('fill')}{round(255 * float(mark.get('fill-opacity', 1))):02x}"


def words(figure):
    return [t.text for t in marks(figure, "text")]


def places(figure):
    return [tuple(map(float, p.split(","))) for p in marks(figure, "polyline")[0].get("points").split()]


@pytest.mark.parametrize(("log_x", "log_y"), [(False, False), (True, False), (False, True)])
def test_each_axis_has_a_scale_of_its_own(log_x, log_y):
    points = [(1.0, 2.0), (10.0, 20.0), (100.0, 200.0), (55.0, 110.0)]
    found = places(line_chart({"a": points}, title="t", log_x=log_x, log_y=log_y))
    for axis, log in ((0, log_x), (1, log_y)):
        scale = [math.log10(p[axis]) if log else p[axis] for p in points]
        wanted = [(s - scale[0]) / (scale[2] - scale[0]) for s in scale]
        shown = [(f[axis] - found[0][axis]) / (found[2][axis] - found[0][axis]) for f in found]
        assert shown == pytest.approx(wanted, abs=2e-3)


def test_a_baseline_stands_at_its_number_and_within_the_chart():
    figure = line_chart({"a": [(0, 1), (1, 2)]}, title="t", baselines={"far": 5.0, "below": -1.0})
    first, second = (y for _, y in places(figure))
    dashed = [float(m.get("y1")) for m in marks(figure, "line") if m.get("stroke-dasharray")]
    assert dashed == pytest.approx([first + 4 * (second - first), first - 2 * (second - first)], abs=0.3)
    assert all(TOP <= y <= HEIGHT - BOTTOM for y in dashed) and {"far", "below"} <= set(words(figure))


def test_labels_of_both_axes_are_shown_with_a_subtitle_and_without():
    for subtitle in ("", "how it went"):
        figure = line_chart({"a": [(0, 1), (1, 2)]}, title="t", subtitle=subtitle, xlabel="steps", ylabel="nats")
        assert {"steps", "nats"} <= set(words(figure)) and (not subtitle or subtitle in words(figure))


def test_a_thinned_line_keeps_its_first_and_last_point():
    for count in (1, 2, 5, 100, 101, 997):
        points = [(float(i), 0.0) for i in range(count)]
        thin = subsampled(points, 10)
        assert thin[0] == points[0] and thin[-1] == points[-1] and len(thin) <= 12
        assert len(set(thin)) == len(thin)


def test_labels_are_spread_from_top_to_bottom():
    found = spread([("a", 100.0, "red"), ("b", 101.0, "blue"), ("c", 99.0, "black"), ("d", 1e4, "red")])
    assert [name for name, _, _ in found] == ["c", "a", "b", "d"]
    assert [y for _, y, _ in found[:3]] == [99, 115, 131] and found[3][1] == HEIGHT - BOTTOM
    assert all(below[1] - above[1] >= 16 for above, below in zip(found, found[1:]))


def test_a_heat_map_is_white_at_zero_not_at_its_smallest():
    cells = marks(heat_map(np.array([[0.3, 0.6]]), ["r"], ["a", "b"], title="t"), "rect")[1:]
    assert [color_of(c) for c in cells] == [shade(0.5), shade(1.0)]
    assert "0.3" not in words(heat_map(np.array([[0.3]]), ["r"], ["a"], title="t"))


def test_bars_have_their_unit_and_the_longest_has_all_of_the_room():
    longest = []
    for values in ({"a": 1.0}, {"a": 1.0, "b": 1.0, "c": 0.5}, {"a": 40.0, "b": 4.0}):
        figure = bar_chart(values, title="t", subtitle="s", unit=" %")
        longest.append(max(float(r.get("width")) for r in marks(figure, "rect")[1:]))
        assert {f"{v:.4g} %" for v in values.values()} | {"t", "s"} <= set(words(figure))
    assert len(set(longest)) == 1


def test_a_smooth_curve_is_a_centred_mean():
    straight = [(i, 3.0 - 0.01 * i) for i in range(240)]
    np.testing.assert_allclose(smoothed(straight), straight, rtol=1e-12)
    noisy = [(i, float(i % 2)) for i in range(240)]
    assert np.std([y for _, y in smoothed(noisy)][10:-10]) < 0.2 * 0.5
    figure = loss_curve(noisy, [(0, 1.0), (200, 0.5)], title="t", baselines={"by chance": 4.0})
    assert {"training 1.000", "held-out 0.500", "by chance 4.000", "t"} <= set(words(figure))
    assert len([m for m in marks(figure, "line") if m.get("stroke-dasharray")]) == 1


def test_the_bars_of_the_next_token_add_up_to_all():
    p = np.array([0.1, 0.4, 0.2, 0.25, 0.05])
    figure = next_token_bars(p, ["a", " a", "b", "b", "c"], title="t", subtitle="s", most=3)
    assert {"␣a", "b", "b (number 2)", "2 others", "40 %", "25 %", "20 %", "15 %", "s"} <= set(words(figure))
    assert "a" not in words(figure)


def test_shown_weights_are_those_of_the_call():
    layer = nn.Attention(8, 2, rng=np.random.default_rng(0), dtype=np.float64)
    x = Tensor(np.random.default_rng(1).normal(size=(2, 4, 8)))
    for options in ({"mask": np.arange(4) < np.array([[4], [2]])}, {"lengths": np.array([4, 2])}):
        (found,) = attention_weights(layer, x, **options)
        np.testing.assert_array_equal(found, layer.weights(x, **options).data)
        assert not found[1, :, :, 2:].any() and found[0, :, :, 2:].all()
    (found,) = attention_weights(layer, x, rng=np.random.default_rng(0))
    np.testing.assert_allclose(found.sum(-1), 1)


@pytest.mark.parametrize("options", [{}, {"value_size": 3}, {"head_size": 6}, {"n_kv_head": 1}])
def test_without_a_head_the_answer_is_that_of_the_others(options):
    layer = nn.Attention(8, 2, rng=np.random.default_rng(0), dtype=np.float64, **options)
    x = Tensor(np.random.default_rng(1).normal(size=(1, 4, 8)))
    without = [ablate_heads(layer, [(0, head)])(x).data for head in range(2)]
    neither = ablate_heads(layer, [(0, 0), (0, 1)])(x).data
    np.testing.assert_allclose(neither, np.broadcast_to(layer.o_proj.bias.data, neither.shape), atol=1e-12)
    np.testing.assert_allclose(without[0] + without[1] - neither, layer(x).data, rtol=1e-10, atol=1e-12)
    assert np.abs(without[0] - without[1]).max() > 1e-3
    silent = copy.deepcopy(layer)  # a head whose values are all zero says nothing
    if "n_kv_head" not in options:
        for p in (silent.v_proj.weight, silent.v_proj.bias):
            p.assign(np.where(np.arange(len(p)).reshape(-1, *[1] * (p.ndim - 1)) < layer.value_size, 0, p.data))
        np.testing.assert_allclose(without[0], silent(x).data, rtol=1e-10, atol=1e-12)


def test_columns_stay_where_one_row_looks_at_them():
    weights = np.array([[0.9, 0.05, 0.05], [0.0, 0.02, 0.98]])
    assert {"a", "c"} <= set(
        found := words(attention_figure(weights, ["x", "y"], ["a", "b", "c"], title="t", least=0.5))
    )
    assert "b" not in found


def test_words_are_as_dark_as_their_weights_whatever_the_others_are():
    figure = attention_text([(["a", "b"], 0, np.array([0.1, 0.3]), "line")], title="t", bold=["b"])
    assert [color_of(r) for r in marks(figure, "rect")[1:] if r.get("fill") != "none"] == [shade(0.1), shade(0.3)]
    weights = {t.text: t.get("font-weight") for t in marks(figure, "text")}
    assert weights["b"] == "700"


def test_slopes_stand_at_their_arrows_and_gradients_are_norms():
    a, b = Value(2.0), Value(-3.0)
    figure = graph_figure(a * b, {"a": a, "b": b})
    boxes = {t.text: float(t.get("y")) for t in marks(figure, "text") if t.text in ("a = 2", "b = -3")}
    slopes = {t.text: float(t.get("y")) for t in marks(figure, "text") if t.get("font-size") == "11"}
    assert slopes.keys() == {"-3", "2"}  # d(ab)/da = b
    assert (slopes["-3"] < slopes["2"]) is (boxes["a = 2"] < boxes["b = -3"])
    w = Tensor(np.array([3.0, -4.0]), requires_grad=True)
    y = (w * Tensor(np.array([3.0, -4.0]))).sum()
    y.backward(retain_graph=True)
    assert "|grad| 5" in words(graph_figure(y, {"w": w})) and "1 by" not in graph_figure(y).description


def test_a_column_is_as_far_as_the_longest_path():
    a = Value(1.0)
    deep = ((a * 2.0) * 3.0) * 4.0
    assert graph_figure(deep + a).width == graph_figure(deep * 5.0).width == graph_figure(deep).width + 190


def test_what_a_figure_is_told_is_in_its_text():
    figure = Figure(90, 60, "a <b>", "says & means")
    figure.rect((1, 2), 30, 20, "#112233", edge="#445566")
    figure.rect((1, 2), 30, 20, "#112233")
    figure.text((10, 20), "x < y", "#010203", 9, "end", 600, -90)
    figure.path([(0, 0), (5, 5)], "#000000", 2.5, 0.25)
    figure.line((0, 0), (9, 9), "#000000", 3, "5 4")
    root = ET.fromstring(figure.svg)
    assert root.find(SVG + "title").text == "a <b>" and root.find(SVG + "desc").text == "says & means"
    framed, plain = marks(figure, "rect")[1:]
    assert (framed.get("stroke"), framed.get("rx"), plain.get("stroke"), plain.get("rx")) == (
        "#445566",
        "4",
        "none",
        "0",
    )
    (text,) = marks(figure, "text")
    said = {key: text.get(key) for key in ("fill", "font-size", "text-anchor", "font-weight", "transform")}
    assert said == {"fill": "#010203", "font-size": "9", "text-anchor": "end", "font-weight": "600",
                    "transform": "rotate(-90 10.0 20.0)"} and text.text == "x < y"  # fmt: skip
    (line,), (dashed,) = marks(figure, "polyline"), marks(figure, "line")
    assert (line.get("stroke-opacity"), line.get("stroke-width")) == ("0.25", "2.5")
    assert (dashed.get("stroke-dasharray"), dashed.get("stroke-width")) == ("5 4", "3")
    assert re.search("<title>a &lt;b&gt;</title>", figure.html) and "viewBox='0 0 90 60'" in figure.svg


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 3), (-7, 40), (0.001, 0.0042), (100, 2600), (0, 7e6)])
def test_ticks_go_in_steps_of_one_two_or_five(low, high):
    found = ticks(low, high)
    steps = np.diff(found)
    assert 3 <= len(found) <= 7 and np.allclose(steps, steps[0])
    assert f"{steps[0]:e}"[:4] in ("1.00", "2.00", "5.00") and low <= found[0] and found[-1] <= high * (1 + 1e-9)
