"""Claims about the divergence frontier; the oracles are closed forms, SciPy, and mauve-text's own numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DataError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import divergence_frontier, mauve

GOLDEN = json.loads((Path(__file__).parents[1] / "goldens" / "mauve.json").read_text(encoding="utf-8"))
COUNTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8).filter(
    lambda rows: all(map(sum, zip(*rows)))
)


def test_the_same_distribution_has_the_whole_square():
    assert mauve([1, 2, 3], [2, 4, 6]) == pytest.approx(1, abs=1e-12)


def test_nothing_in_common_has_the_area_of_its_closed_form():
    """KL(Q | R_w) = -ln(1 - w), KL(P | R_w) = -ln w: the frontier is ((1 - w)^c, w^c)."""
    w = np.linspace(1e-6, 1 - 1e-6, 25)
    for c in (1, 2, 5):
        assert divergence_frontier([1, 0], [0, 1], scale=c)[1:-1] == pytest.approx(np.stack([(1 - w) ** c, w**c], 1))
    # c = 1 is the straight line, half of the square; else the beta function, c B(c, c + 1) = c!²/(2c)!
    assert mauve([1, 0], [0, 1], scale=1) == pytest.approx(1 / 2, abs=1e-6)
    assert mauve([1, 0], [0, 1], points=4001) == pytest.approx(math.factorial(5) ** 2 / math.factorial(10), rel=1e-4)


@given(COUNTS)
def test_the_two_sides_may_change_places(rows):
    p, q = np.array(rows).T
    assert mauve(p, q) == pytest.approx(mauve(q, p), abs=1e-9)
    assert 0 < mauve(p, q) <= 1 + 1e-9


@given(COUNTS)
def test_a_larger_scale_has_a_smaller_area(rows):
    p, q = np.array(rows).T
    assert mauve(p, q, scale=6) <= mauve(p, q, scale=3) + 1e-9


@given(COUNTS)
def test_kinds_that_nobody_has_and_their_order_do_not_count(rows):
    p, q = np.array(rows).T
    assert mauve([*p[::-1], 0], [*q[::-1], 0]) == pytest.approx(mauve(p, q), abs=1e-12)


def test_dropping_what_people_write_and_writing_what_they_do_not_are_the_two_sides():
    people = [1, 1, 1, 1, 0]
    dropped, more = (divergence_frontier(people, q)[1:-1] for q in ([1, 1, 0, 0, 0], [1, 1, 1, 1, 1]))
    assert dropped.min(0) == pytest.approx([2.0**-5, 0], abs=1e-5)  # KL(Q | P) = ln 2, KL(P | Q) has no end
    assert more.min(0) == pytest.approx([0, 0.8**5], abs=1e-5)  # and here it is KL(P | Q) that is ln(5 / 4)


def test_mauve_text_says_the_same_of_sixty_pairs():
    assert len(GOLDEN["rows"]) == 60
    for p, q, scale, points, area in GOLDEN["rows"]:
        assert mauve(p, q, scale=scale, points=points) == pytest.approx(area, rel=1e-9)


@pytest.mark.oracle
def test_scipys_relative_entropies_make_the_frontier():
    special = pytest.importorskip("scipy.special")
    for seed in range(100):
        rng = np.random.default_rng(seed)
        p, q = rng.dirichlet(np.ones(6) * 0.3, 2)
        for w, point in zip(np.linspace(1e-6, 1 - 1e-6, 9), divergence_frontier(p, q, points=9)[1:-1]):
            mixed = w * p + (1 - w) * q
            expected = [math.exp(-5 * special.rel_entr(side, mixed).sum()) for side in (q, p)]
            assert point == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("p", "q", "options", "kind"),
    [
        ([1, 2], [1, 2, 3], {}, ShapeError), ([[1]], [[1]], {}, ShapeError), ([], [], {}, DataError),
        ([0, 0], [1, 1], {}, DataError), ([1, 1], [-1, 2], {}, DataError), ([1], [math.nan], {}, NonFiniteError),
        ([1], [1], {"scale": 0}, ArgumentError), ([1], [1], {"scale": math.nan}, ArgumentError),
        ([1], [1], {"points": 1}, ArgumentError), ([1], [1], {"points": 2.5}, ArgumentError),
    ],
)  # fmt: skip
def test_what_is_no_distribution_is_refused(p, q, options, kind):
    with pytest.raises(kind):
        mauve(p, q, **options)
