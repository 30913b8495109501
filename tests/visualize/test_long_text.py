"""Attention over a long text: blocks keep all of it, the marked block is the needle's, and a page stays small."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize import attention_strips, in_blocks
from tinygrad_llm.visualize.chart import shade
from tinygrad_llm.visualize.long_text import FRAME

SVG = "{http://www.w3.org/2000/svg}"


def marks(figure, tag):
    return list(ET.fromstring(figure.svg).iter(SVG + tag))


def color_of(mark):
    return f"{mark.get('fill')}{round(255 * float(mark.get('fill-opacity', 1))):02x}"


def cells(figure):
    """All rectangles of strips, row by row: (x, y, color)."""
    found = [m for m in marks(figure, "rect") if m.get("fill").startswith("#")]
    return [(float(m.get("x")), float(m.get("y")), color_of(m)) for m in found]


@given(st.integers(1, 300), st.integers(1, 40))
def test_blocks_are_sums_of_neighbours_and_not_too_many(size, most):
    weights = np.random.default_rng(size).random((2, size))
    blocks = in_blocks(weights, most)
    length = -(-size // most)
    expected = [weights[:, i : i + length].sum(1) for i in range(0, size, length)]
    np.testing.assert_allclose(blocks, np.stack(expected, 1), rtol=1e-12)
    assert 1 <= blocks.shape[1] <= most


def test_a_strip_is_as_dark_as_its_blocks_and_the_marked_one_has_a_frame_and_its_share():
    weights = {"plain": np.full(8, 0.125), "mended": np.array([0, 0, 0, 0, 0.5, 0.5, 0, 0])}
    figure = attention_strips(weights, title="t", marked=5, most=4)
    drawn = cells(figure)
    assert [color for *_, color in drawn] == [shade(v) for v in (0.25,) * 4 + (0, 0, 1, 0)]
    assert len({y for _, y, _ in drawn}) == 2 and drawn[0][0] < drawn[1][0] < drawn[2][0]
    frames = [m for m in marks(figure, "rect") if m.get("stroke") == FRAME]
    assert [(float(f.get("x")) + 1, float(f.get("y")) + 1) for f in frames] == [drawn[2][:2], drawn[6][:2]]
    words = [t.text for t in marks(figure, "text")]
    assert {"plain", "mended", "0.25", "1.00", "here it stands", "token 8"} <= set(words)
    assert "mended: most in block 3 of 4, 1.00" in marks(figure, "desc")[0].text


def test_without_a_mark_nothing_has_a_frame():
    figure = attention_strips({"a": np.ones(3) / 3}, title="t")
    assert not [m for m in marks(figure, "rect") if m.get("stroke") == FRAME]
    assert "here it stands" not in [t.text for t in marks(figure, "text")]


def test_a_million_tokens_take_no_more_room_than_a_hundred():
    rows = {str(n): np.full(1_000_000, 1e-6) for n in range(6)}
    assert len(attention_strips(rows, title="t", marked=999_999).svg) < 120_000


@pytest.mark.parametrize(
    ("weights", "marked"), [({}, None), ({"a": np.ones(2), "b": np.ones(3)}, None), ({"a": np.ones((2, 2))}, None),
                            ({"a": np.ones(3)}, 3), ({"a": np.ones(3)}, -1), ({"a": np.ones(0)}, None)]
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(weights, marked):
    with pytest.raises(ArgumentError):
        attention_strips(weights, title="t", marked=marked)


def test_no_blocks_are_refused():
    with pytest.raises(ArgumentError, match="at least one block"):
        in_blocks(np.ones(3), 0)
