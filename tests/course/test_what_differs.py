"""A pattern is said where it is true of the two answers and no other one is; else the report has only what differs."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.course.exercises.calls import Expectation, call
from tinygrad_llm.course.exercises.difference import difference, same

RTOL, ATOL = 1e-7, 1e-9
PATTERNS = {
    "transposed": r"The entries are right but transposed\.",
    "reversed": r"The entries are right, but in the opposite order( along both axes| along every axis)?\.",
    "late": r"The (entries|rows|entries along the first axis) are shifted by one: each but the first .*",
    "early": r"The (entries|rows|entries along the first axis) are shifted by one: each but the last .*",
    "columns": r"The columns sum to 1 where the rows should\.",
    "rows": r"The rows sum to 1 where the columns should\.",
    "negative": r"(Every entry( that is not 0)? has the wrong sign|The sign is wrong)\.",
    "times": r"Every entry is (exactly twice|exactly half of|1/\d+ of|\S+ times) what it should be\.",
    "zero": r"All entries are (0|False)\.",
}
PLAIN = r"(At \[[\d, ]+\] )?\S+ instead of \S+?( \(\d+ of \d+ entries differ\))?\."


def kind_of(said):
    kinds = [kind for kind, text in PATTERNS.items() if re.fullmatch(text, said)]
    assert len(kinds) == 1 or (not kinds and re.fullmatch(PLAIN, said)), said
    return kinds[0] if kinds else None


def changes(x):
    """What may have been done to the right array: (kind, the array then); of a shift the entry that came in is any."""
    axes = range(x.ndim)
    for turned in itertools.chain.from_iterable(itertools.combinations(axes, n) for n in range(1, x.ndim + 1)):
        whole = all(axis in turned or x.shape[axis] == 1 for axis in axes)
        yield ("reversed" if whole else "flipped"), np.flip(x, turned)
    if x.ndim == 2:
        yield "transposed", x.T
    yield "negative", -x
    for axis in axes:
        for by in range(1, x.shape[axis]):
            yield ("late" if axis == 0 and by == 1 else "rolled"), np.roll(x, by, axis)


def is_alike(got, x, kind):
    """Whether the sentence of that kind is true of the two, by its words."""
    if kind in ("late", "early"):
        here, there = (got[1:], x[:-1]) if kind == "late" else (got[:-1], x[1:])
        return np.array_equal(here, there)
    if kind in ("columns", "rows"):
        wrong, right = (-2, -1) if kind == "columns" else (-1, -2)
        ones = [np.isclose(a.sum(axis), 1) for a, axis in ((got, wrong), (got, right), (x, right), (x, wrong))]
        return ones[0].all() and not ones[1].any() and ones[2].all() and not ones[3].any()
    if kind == "times":
        used = x != 0
        ratios = got[used] / x[used]
        return np.allclose(ratios, ratios[0], rtol=1e-6) and not got[~used].any() and len(set(x[used])) > 1
    if kind == "zero":
        return not got.any() and x.any()
    return any(np.array_equal(got, y) for name, y in changes(x) if name == kind)


few = st.sampled_from([-2.0, -1.0, 0.0, 0.0, 1.0, 2.0, 3.0])
shares = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@st.composite
def two_answers(draw):
    """A right answer, and one that was made from it in one of many ways, or has nothing to do with it."""
    shape = draw(array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    entries = draw(st.sampled_from([few, shares, st.floats(-4, 4, width=16)]))
    x = draw(arrays(np.float64, shape, elements=entries))
    ways = [y for _, y in changes(x)] + [2 * x, x / 2, x / 3, -1.5 * x, x + 1, x - 0.5, 0 * x, np.roll(x, -1, 0)]
    got = draw(st.sampled_from([*ways, draw(arrays(np.float64, x.shape, elements=entries))])).copy()
    assume(got.shape == x.shape)
    if draw(st.booleans()):  # what fell off at one end
        got[draw(st.sampled_from([0, -1]))] = draw(entries)
    return got, x


@given(two_answers())
@example((np.array([1.0, 0, 0]), np.array([0, 0, 1.0])))
@example((np.array([5.0, 0, 0, 0]), np.array([0, 0, 0, 1.0])))
@example((np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([[0.25, 0.75], [0.75, 0.25]])))
@example((np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([[0.25, 0.75], [0.5, 0.5]])))
@example((np.arange(1.0, 6.0), np.arange(5.0)))
@example((np.array([0.25, -0.25]), np.array([-0.25, 0.25])))
@example((np.array([2.0, 2.0]), np.array([1.0, 1.0])))
@example((np.array([0.0, 2.0, 2.0]), np.array([0.0, 1.0, 1.0])))
@example((np.array([[0.0, 0.0, 1.0], [0, 0, 0], [0, 0, 0]]), np.array([[0.0, 0, 0], [0, 0, 0], [1, 0, 0]])))
@example((np.array([[0.0, 1.0], [-1.0, 0.0]]), np.array([[0.0, -1.0], [1.0, 0.0]])))
@example((np.array([0.0, 0.0, -1.0]), np.array([0.0, 0.0, 1.0])))
@example((np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])))
def test_what_is_said_is_true_and_nothing_else_would_be(pair):
    got, x = pair
    assume(not same(got, x))
    said = difference(got, x, RTOL, ATOL)
    kind = kind_of(said)
    if kind is None:
        return
    assert is_alike(got, x, kind), said
    if got.ndim == 1:
        assert not re.search("row|column|axis|axes", said), said
    assert ("rows are" in said) <= (got.ndim == 2)
    if kind in ("columns", "rows", "zero"):
        return
    others = {name for name, y in changes(x) if np.array_equal(got, y)} - {kind}
    others |= {"added"} if np.ptp(got - x) < 1e-12 and got.size > 1 else set()
    implied = {
        "transposed": {"reversed"},  # of two flips
        "early": {"rolled"} if np.array_equal(got, np.roll(x, -1, 0)) else set(),
        "negative": {"added"},  # of equal entries
    }
    assert others <= implied.get(kind, set()), (said, others)


@given(arrays(np.float64, array_shapes(max_dims=3, max_side=4), elements=st.floats(0.1, 9), unique=True), st.data())
def test_a_pattern_that_is_there_is_said(x, data):
    """Of entries that are all different, and no two of which are alike in size."""
    assume(x.size > 3 and np.ptp(x) > 1e-6 and np.diff(np.sort(x.ravel())).min() > 1e-3)
    ways = {"negative": -x, "times": x * data.draw(st.sampled_from([2.0, 0.5, 1 / 3, 1.7, -0.4])), "zero": 0 * x}
    if sum(side > 1 for side in x.shape) == 1 or min(x.shape) > 1:
        ways["reversed"] = np.flip(x)
    if len(x) > 3:
        ways["late"] = np.concatenate([-x[:1], x[:-1]])
        ways["early"] = np.concatenate([x[1:], -x[-1:]])
    if x.ndim == 2 and x.shape[0] == x.shape[1]:
        ways["transposed"] = x.T
    kind = data.draw(st.sampled_from(sorted(ways)))
    assert kind_of(difference(ways[kind], x, RTOL, ATOL)) == kind


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=4), elements=st.floats(0.1, 3)))
def test_a_softmax_over_the_other_axis_is_told_by_its_sums(e):
    right, wrong = e / e.sum(-1, keepdims=True), e / e.sum(-2, keepdims=True)
    sums = [wrong.sum(-1), right.sum(-2)]
    assume(all(np.abs(s - 1).min() > 1e-3 for s in sums) and np.ptp(wrong - right) > 1e-3)
    turned = e.ndim == 2 and e.shape[0] == e.shape[1] and np.allclose(wrong.T, right)
    assume(not turned)
    assert difference(wrong, right, RTOL, ATOL) == "The columns sum to 1 where the rows should."
    assert difference(right, wrong, RTOL, ATOL) == "The rows sum to 1 where the columns should."


ODD = np.array([[1.0, 2.0, 4.0], [7.0, 11.0, 13.0]])


@pytest.mark.parametrize(
    ("got", "expected", "said"),
    [
        # pairs and marks: chance, or the other way round, would do as well
        (np.array([0.75, 0.25]), np.array([0.25, 0.75]), "At [0] 0.75 instead of 0.25 (2 of 2 entries differ)."), ((5.0, 7.0), (7.0, 5.0), "In [0]: 5 instead of 7."),
        (np.triu(np.ones((3, 3))), np.tril(np.ones((3, 3))), "At [0, 1] 1 instead of 0 (6 of 9 entries differ)."),
        (np.eye(2, dtype=bool)[:, [0, 0]], np.eye(2, dtype=bool)[[0, 0]], "At [0, 1] True instead of False (2 of 4 entries differ)."),
        (np.array([[1.0, 1.0, 1.0], [0, 0, 0]]), np.array([[1.0, 0, 0], [1.0, 0, 0]]), "At [0, 1] 1 instead of 0 (3 of 6 entries differ)."),
        (np.array([0.3, -0.3]), np.array([0.2, -0.2]), "At [0] 0.3 instead of 0.2 (2 of 2 entries differ)."), (np.array([0.4, -0.4]), np.array([0.2, -0.2]), "Every entry is exactly twice what it should be."),
        (np.array([9.0, 1, 2, 2, 3]), np.array([1.0, 2, 2, 3, 4]), "At [0] 9 instead of 1 (4 of 5 entries differ)."),  # of 2, 2 either may be the first
        # shapes: two ways that would both do are no way
        (np.ones((2, 3)), np.ones((3, 2)), "Shape (2, 3) instead of (3, 2)."),
        (ODD.reshape(3, 2), ODD, "Shape (3, 2) instead of (2, 3); the numbers are right, and in the right order."),
        (np.array([3.0]), 3.0, "Shape (1,) instead of (); the number is right."),
        (np.ones((2, 3, 4)) * ODD[..., None] + np.arange(4), (np.ones((2, 3, 4)) * ODD[..., None] + np.arange(4)).T,
         "Shape (2, 3, 4) instead of (4, 3, 2); with its axes in the opposite order it has the right numbers."),
        # single numbers
        (-1, 1, "-1 instead of 1."), (-0.5, 0.5, "The sign is wrong."), (np.array([-1, -1]), np.array([1, 1]), "At [0] -1 instead of 1 (2 of 2 entries differ)."),
        (np.array([False, False]), np.array([True, False]), "All entries are False."),
        (np.array([0.0, -1.0, -2.0]), np.array([0.0, 1.0, 2.0]), "Every entry that is not 0 has the wrong sign."),
        (ODD * (1 + 2e-6), ODD, "Every entry is 1.000002 times what it should be."), (ODD * 1.9999996, ODD, "Every entry is 1.9999996 times what it should be."),
        (ODD * 6, ODD, "Every entry is 6 times what it should be."), (ODD / 7, ODD, "Every entry is 1/7 of what it should be."), (ODD * -1e-20, ODD, "At [1, 2] -1.3e-19 instead of 13 (6 of 6 entries differ)."),
        # what cannot be an array, and what is one and should not be
        ([1, [2]], np.zeros(2), "Some entries are single values, and others are lists."),
        ([[1], [2, 3]], 1.0, "The answer is of type list instead of float."),
        ([[[1], [2, 3]], [[1], [2]]], np.zeros((2, 2)), "It is no array: the entries have different shapes."),
        (np.array(3), 3, "The number is right, but of type ndarray instead of int."),
        (1.0, np.array(1.0), "The number is right, but of type float instead of ndarray."),
        (Tensor(np.ones(3)), np.ones(3), "The numbers are right, but of type Tensor instead of ndarray."),
        ([], np.zeros(0), "An empty list instead of an empty array."),
        # within another
        ((None, 1), (2.0, 1), "In [0]: None instead of float."), ((True, 1), (2.0, 1), "In [0]: True instead of 2."), (([1], 1), (["a"], 1), "In [0]: the first difference is at place 0: 1 instead of 'a'."),
        (([{}], 1), ([{1}], 1), "In [0]: the first difference is at place 0: {} instead of {1}."),
        # sequences
        ("", "abc", "0 characters instead of 3."), ("a", "abc", "1 character instead of 3; the first is right."), ([1], [], "1 entry instead of 0."), (b"ab", b"abc", "2 bytes instead of 3; the first 2 are right."),
        ([0, 0, 1], [1, 0, 0], "The first difference is at place 0: 0 instead of 1."), ([1, 0, -1], [-1, 0, 1], "The first difference is at place 0: 1 instead of -1."),
        (np.True_, "yes", "The answer is of type bool instead of str."), (np.True_, False, "Another value."),
        # numbers that are none
        (np.array([-np.inf, 2.0]), np.array([-np.inf, 1.0]), "At [1] 2 instead of 1 (1 of 2 entries differ)."),
        (np.array([np.nan, 1.0]), np.array([True, True]), "nan at [0] instead of True (1 of 2 entries)."),
    ],
)  # fmt: skip
def test_what_once_was_said_wrongly(got, expected, said):
    with np.errstate(all="raise"):
        assert difference(got, expected, RTOL, ATOL) == said


def test_an_entry_within_the_tolerance_is_not_the_one_that_differs():
    assert difference({"a": 1.001, "b": 5}, {"a": 1.0, "b": 2}, 1e-2, 0.0) == "The entry 'b' differs."
    assert (
        difference([3.001, 2.0, 1.0], [1.0, 2.0, 3.0], 1e-2, 0.0) == "The entries are right, but in the opposite order."
    )
    assert (
        difference(ODD * 2.003, ODD, 1e-2, 0.0) == "Every entry is 2.003 times what it should be."
    )  # not exactly twice
    assert difference(ODD * 1.99998e-4, ODD * 1e-4, 1e-5, 1e-7) == "Every entry is 1.99998 times what it should be."
    assert difference(ODD * -1e-8, ODD * 1e-8, 1e-9, 1e-8).startswith("At [1, 2] -1.3e-07 instead of 1.3e-07")


def test_an_object_that_cannot_be_looked_at_is_of_its_type():
    class Closed:
        def __array__(self, *args, **options):
            raise RuntimeError

    assert difference(Closed(), ODD, RTOL, ATOL) == "The answer is of type Closed instead of ndarray."


def test_an_error_of_another_kind_was_no_attempt_to_compute():
    def refuse(x):
        raise ValueError("x")

    def told(kind, words=""):
        with pytest.raises(Expectation) as found:
            call(refuse, 1).raises(kind, words)
        return found.value.differs

    assert told(KeyError) == "It raised an error of another kind."
    assert told(ValueError, "positive") == "The message does not say so."
