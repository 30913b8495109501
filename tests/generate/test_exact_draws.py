"""Every option of a sampler changes the distribution as its formula says, and a draw is the inverse of its sums."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import Sampler
from tinygrad_llm.generate.sampling import Temperature, TopK, TopP

BELOW_ONE = np.nextafter(1.0, 0)


def distribution(x, t=1.0, k=None, p=1.0, greedy=False):
    """Temperature, then the k best, then of these the fewest that hold p; of equals the smaller ids."""
    best = sorted(range(len(x)), key=lambda i: (-x[i], i))[: 1 if greedy else k]
    weights = [math.exp((x[i] - x[best[0]]) / t) for i in best]
    shares = [w / math.fsum(weights) for w in weights]
    kept = next(n for n in range(1, len(best) + 1) if (p < 1 and math.fsum(shares[:n]) >= p) or n == len(best))
    out = np.zeros(len(x))
    out[best[:kept]] = np.array(weights[:kept]) / math.fsum(weights[:kept])
    return out


ROWS = np.array([
    [0.0, 1.0, 2.0, 0.5, -1.0, 2.0, 2.0], [3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0], [-np.inf, 0.0, -np.inf, 1.0, 1.0, -2.0, 0.0],
    [900.0, 899.0, -900.0, 898.5, 0.0, 899.0, 1.0], [5.0, -40.0, -40.0, -40.0, -40.0, -40.0, -40.0], [0.3, -0.2, 0.1, 0.7, -0.9, 0.2, 0.4],
])  # fmt: skip


@pytest.mark.parametrize("t", [0.1, 0.5, 1.0, 1.7, 4.0])
@pytest.mark.parametrize("k", [None, 1, 2, 3, 6, 7, 50])
def test_temperature_top_k_and_top_p_together_are_their_formulas(t, k):
    for p in (0.05, 0.3, 0.45, 0.62, 0.8, 0.97, 0.999, 1.0):
        before = ROWS.copy()
        found = Sampler(t, k, p).probabilities(ROWS)
        for row, x in zip(found, ROWS):
            np.testing.assert_allclose(row, distribution(x, t, k, p), rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(found.sum(1), 1, rtol=1e-14)
        np.testing.assert_array_equal(ROWS, before)
        np.testing.assert_array_equal(Sampler(t, k, p, greedy=True).probabilities(ROWS),
                                      [distribution(x, greedy=True) for x in ROWS])  # fmt: skip


def test_each_transform_alone_leaves_the_logits_it_keeps_and_writes_into_none():
    for transform in (Temperature(1.7), Temperature(0.5), TopK(2), TopK(6), TopP(0.4), TopP(0.9)):
        before = ROWS.copy()
        changed = transform(ROWS)
        np.testing.assert_array_equal(ROWS, before)
        kept = changed > -np.inf
        below = ROWS - ROWS.max(1, keepdims=True)  # what a temperature divides
        expected = below / transform.value if isinstance(transform, Temperature) else ROWS
        np.testing.assert_array_equal(changed[kept], expected[kept])


@pytest.mark.parametrize("width", [2, 4, 8, 32, 64])
def test_where_probabilities_add_up_to_p_exactly_no_token_more_is_kept(width):
    """Of equal logits each share is 1/width without rounding: p = m/width is m tokens, the first ones."""
    others = np.full(width, -np.inf)
    x = np.stack([others, np.zeros(width)], axis=1).reshape(1, -1)  # what can be stands at the odd ids
    for m in range(1, width + 1):
        expected = [2 * i + 1 for i in range(m)]
        for sampler in (Sampler(top_p=m / width), Sampler(0.25, top_p=m / width), Sampler(3.0, top_k=m)):
            assert np.flatnonzero(sampler.probabilities(x[0])).tolist() == expected
        more = Sampler(top_p=np.nextafter(m / width, 2)) if m < width else Sampler(top_p=1.0)
        assert len(np.flatnonzero(more.probabilities(x[0]))) == min(m + 1, width)
    k = 2
    while k <= width:  # half of those that top-k has left, and not of all
        assert len(np.flatnonzero(Sampler(top_k=k, top_p=0.5).probabilities(x[0]))) == k // 2
        k *= 2


def test_of_many_equals_the_smallest_ids_are_kept_and_the_first_is_greedys():
    """More than sixteen, beyond which NumPy's unstable sort is one."""
    rng = np.random.default_rng(0)
    for width in (20, 50, 200):
        x = rng.integers(0, 3, width).astype(float)
        for k, p in itertools.product((None, 1, width // 3, width // 2), (0.2137, 0.513, 0.889)):
            np.testing.assert_allclose(Sampler(1.0, k, p).probabilities(x), distribution(x, 1.0, k, p), rtol=1e-9)
        assert Sampler(greedy=True).pick(x[None], np.zeros(1)) == [int(np.argmax(x))]


class Spied:
    """A generator that gives these numbers, and says how many were asked for."""

    def __init__(self, numbers):
        self.numbers, self.asked = list(numbers), []

    def random(self, size=None):
        self.asked.append(size)
        return np.array([self.numbers.pop(0) for _ in range(size)])


@pytest.mark.parametrize("scale", [0.0, 5.0, -300.0])
def test_a_draw_is_the_first_id_at_which_the_summed_probability_exceeds_the_number(scale):
    """Quarters, exactly: on a boundary the next one is drawn, below it the one before; nothing impossible ever."""
    x = np.array([-np.inf, scale, -np.inf, scale, scale, scale, -np.inf])
    table = {
        0.0: 1,
        np.nextafter(0.25, 0): 1,
        0.25: 3,
        np.nextafter(0.5, 0): 3,
        0.5: 4,
        np.nextafter(0.75, 0): 4,
        0.75: 5,
        BELOW_ONE: 5,
    }
    for sampler in (Sampler(), Sampler(0.3), Sampler(top_p=0.999), Sampler(top_k=4)):
        picked = sampler.pick(np.tile(x, (len(table), 1)), np.array(list(table)))
        assert picked.tolist() == list(table.values())
    halves = Sampler(top_k=2).pick(np.tile(x, (3, 1)), np.array([0.0, 0.5, BELOW_ONE]))  # of what is left, anew
    assert halves.tolist() == [1, 3, 3]


def test_draws_are_those_of_the_cumulative_distribution():
    rng = np.random.default_rng(0)
    for t, k, p in itertools.product((0.4, 1.0, 2.5), (None, 3, 5), (0.5, 0.8, 1.0)):
        uniform = rng.random(len(ROWS))
        picked = Sampler(t, k, p).pick(ROWS, uniform)
        for x, u, token in zip(ROWS, uniform, picked):
            edges = np.cumsum(distribution(x, t, k, p))
            assert (edges[token - 1] if token else 0) - 1e-12 <= u <= edges[token] + 1e-12
            assert distribution(x, t, k, p)[token] > 0


def test_each_row_takes_one_number_of_the_generator_in_order():
    numbers = [0.1, 0.9, 0.4, 0.6, 0.0, 0.99]
    rng, x = Spied([*numbers, 0.3, 0.7]), np.zeros((6, 10))
    assert Sampler().draw(x, rng).tolist() == [1, 9, 4, 6, 0, 9]
    assert [Sampler().draw(x[0], rng), Sampler().draw(x[0], rng)] == [3, 7]
    assert rng.asked == [6, 1, 1]


def test_transforms_of_a_caller_come_first_for_greedy_too():
    """They see the logits as the model gave them: a penalty is not divided by the temperature's effect."""
    seen = []

    def forbid(logits_BV, texts):
        seen.append(logits_BV.copy())
        return np.where(np.arange(logits_BV.shape[1]) == 5, -np.inf, logits_BV - np.arange(logits_BV.shape[1]))

    for sampler in (Sampler(2.0, 3, 0.9, first=(forbid,)), Sampler(2.0, 3, 0.9, greedy=True, first=(forbid,))):
        changed = forbid(ROWS, ())
        expected = [distribution(x, 2.0, 3, 0.9, greedy=sampler.greedy) for x in changed]
        np.testing.assert_allclose(sampler.probabilities(ROWS), expected, rtol=1e-12, atol=1e-300)
        seen.clear()
        ids = sampler.pick(ROWS, np.full(len(ROWS), 0.5))
        np.testing.assert_array_equal(seen, [ROWS])
        assert all(expected[row][token] > 0 for row, token in enumerate(ids))


def test_one_row_gives_a_number_and_several_give_an_array():
    for sampler in (Sampler(), Sampler(greedy=True), Sampler(top_k=2, top_p=0.5)):
        assert type(sampler.draw([0.0, 1.0], np.random.default_rng(0))) is int
        drawn = sampler.draw(np.zeros((3, 2), np.float32), np.random.default_rng(0))
        assert drawn.shape == (3,) and drawn.dtype.kind == "i"
        assert sampler.probabilities([0.0, 1.0]).shape == (2,) and sampler.probabilities([[0.0, 1.0]]).shape == (1, 2)
        assert sampler.probabilities(np.zeros(3, np.float32)).dtype == np.float64


def test_edges_of_the_ranges_are_as_said():
    Sampler(temperature=1e-300, top_k=1, top_p=1.0)
    for bad in (
        {"top_p": 0},
        {"top_p": np.nextafter(1, 2)},
        {"top_k": 0},
        {"temperature": 0.0},
        {"temperature": math.nan},
    ):
        with pytest.raises(ArgumentError):
            Sampler(**bad)
    for bad in ([np.inf, 0.0], [-np.inf, -np.inf], [np.nan, 1.0]):
        for sampler in (Sampler(), Sampler(greedy=True), Sampler(top_k=1)):
            with pytest.raises(ArgumentError, match="logits"):
                sampler.pick(np.array([[0.0, 1.0], bad]), np.zeros(2))
