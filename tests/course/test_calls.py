"""What a wrong answer is told: the call can be pasted, and what differs is said."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.course.exercises.calls import Expectation, Raised, call
from tinygrad_llm.course.exercises.difference import difference, same
from tinygrad_llm.course.exercises.show import SAVE_TO, Seeded, Spelled, call_text, literal, summaries, summary

values = st.one_of(
    st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.booleans(), st.none(),
    arrays(np.float64, array_shapes(max_dims=2, max_side=4)), arrays(np.int64, (3,)), arrays(np.float32, (2, 2), elements=st.floats(-9, 9, width=32)),
)  # fmt: skip


@given(
    st.recursive(
        values,
        lambda inner: (
            st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
        ),
        max_leaves=6,
    )
)
def test_a_literal_evaluates_to_what_it_shows(value):
    again = eval(literal(value), {"np": np})
    assert same(again, value, 0, 0), literal(value)


def test_large_arrays_are_saved_and_loaded_by_the_call(tmp_path, monkeypatch):
    monkeypatch.setenv(SAVE_TO, str(tmp_path / "arrays"))
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(9, 9))
    text = call_text("f", (x,), {"axis": 1})
    assert re.fullmatch(r"f\(np\.load\('arrays/\w+\.npy'\), axis=1\)", text)
    assert call_text("f", (x.copy(),), {"axis": 1}) == text != call_text("f", (x + 1,), {"axis": 1})
    np.testing.assert_array_equal(eval(literal(x), {"np": np}), x)
    same_bytes = [np.zeros(shape) for shape in ((9, 8), (8, 9))]  # another array for all that
    assert [eval(literal(a), {"np": np}).shape for a in same_bytes] == [(9, 8), (8, 9)]
    assert len({literal(a) for a in same_bytes}) == 2


def test_a_value_can_be_shown_as_it_was_written():
    made = call(np.exp, Spelled("np.log(np.array([0.25, 0.75]))"))
    assert made.text == "exp(np.log(np.array([0.25, 0.75])))"
    made.gives(np.array([0.25, 0.75]))


class Unspeakable:
    def __repr__(self):
        raise KeyboardInterrupt


def test_an_answer_whose_repr_raises_has_a_summary_all_the_same():
    for answer in (Unspeakable(), [Unspeakable()], (np.ones(1), Unspeakable())):
        assert "KeyboardInterrupt" in wrong(lambda answer=answer: call(lambda: answer).gives(1.0)).got


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_exit_or_an_interrupt_in_the_answer_is_an_error_of_the_answer(error):
    def leaves():
        raise error

    with pytest.raises(Raised) as found:
        call(leaves).gives(1)
    assert isinstance(found.value.__cause__, error)


def test_warnings_are_those_of_the_call_that_is_shown():
    def overflows(x):
        return np.exp(x)

    wrong(lambda: call(overflows, np.array([1000.0])).gives(1.0))
    assert wrong(lambda: call(overflows, np.array([0.0])).gives(2.0)).warned == []
    ((file, _, text),) = wrong(
        lambda: call(overflows, np.array([1000.0])).then("[0]", lambda y: y[0]).gives(2.0)
    ).warned
    assert file == __file__ and "overflow" in text


def test_generators_and_tensors_have_literals():
    assert literal(Seeded(3)) == "np.random.default_rng(3)"
    assert literal(Tensor([1.0, 2.0])) == "Tensor(np.array([1.0, 2.0], dtype='float32'))"
    assert call(lambda rng: rng.integers(99), Seeded(3)).result == np.random.default_rng(3).integers(99)


A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
SQUARE = np.array([[1.0, 2.0], [3.0, 5.0]])
SHARES = np.array([[0.1, 0.9], [0.3, 0.7]])


@pytest.mark.parametrize(
    ("got", "expected", "words"),
    [
        (None, A, "It returned None."),
        ((A, 1), A, "tuple of 2"),
        (A.T, A, "Shape (3, 2) instead of (2, 3); transposed it has the right numbers."),
        (np.zeros((3, 5, 2)), np.ones((2, 3, 5)), "Shape (3, 5, 2) instead of (2, 3, 5)."),
        (A.sum(1), A.sum(1, keepdims=True), "; with the axes of size 1 left out the numbers are right."),
        (A.sum(1, keepdims=True), A.sum(1), "; with the axes of size 1 left out the numbers are right."),
        (A.sum(1) + 1, A.sum(1, keepdims=True), "Shape (2,) instead of (2, 1)."),
        (A.ravel(), A, "; the numbers are right, and in the right order."),
        (A[:, :2], A, "Shape (2, 2) instead of (2, 3)."),
        (np.float64(3.0), A, "Shape () instead of (2, 3)."),
        (A, A.astype(np.float32), "The numbers are right, but they are float64 instead of float32."),
        (A.astype(int), A, "int64 instead of float64"),
        (A.tolist(), A, "The numbers are right, but they are a list instead of an array."),
        ([1, 2], np.array([1, 3]), "At [1] 2 instead of 3"),
        (A * np.nan, A, "nan at [0, 0] instead of 1 (6 of 6 entries)."),
        (np.float64("inf"), 1.0, "inf instead of 1"),
        (A * 0, A, "All entries are 0."),
        (A * 2, A, "Every entry is exactly twice what it should be."),
        (A / 2, A, "Every entry is exactly half of what it should be."),
        (-A, A, "wrong sign"),
        (-0.5, 0.5, "The sign is wrong."),
        (A * 6, A, "Every entry is 6 times what it should be."),
        (A / 3, A, "Every entry is 1/3 of what it should be."),
        (A * 1.3, A, "1.3 times"),
        (SQUARE.T, SQUARE, "right but transposed"),
        (np.array([3.0, 1.0, 4.0, 1.5]), np.array([2.0, 3.0, 1.0, 4.0]), "The entries are shifted by one: each but the last is the one that should stand behind it."),
        (np.vstack([SQUARE[:1], A[:, :2]]), np.vstack([A[:, :2], SQUARE[1:]]), "The rows are shifted by one: each but the first is the one that should stand before it."),
        (np.array([3.0, 1.0, 2.0])[::-1], np.array([3.0, 1.0, 2.0]), "opposite order"),
        (SHARES.T + 0.0, np.array([[0.2, 0.8], [0.5, 0.5]]), "The columns sum to 1 where the rows should."),
        (SHARES + 0.0, np.array([[0.2, 0.5], [0.8, 0.5]]), "The rows sum to 1 where the columns should."),
        ((15.0, (3.0, 5.0, 7.0)), (15.0, (7.0, 5.0, 3.0)), "In [1]: the entries are right, but in the opposite order."),
        ((15.0, (3.0, 5.0)), (15.0, (5.0, 3.0)), "In [1][0]: 3 instead of 5."),
        ((0.5, (0.2,)), (0.5, (0.4,)), "In [1][0]: 0.2 instead of 0.4."),
        (([A, A], 1.0), ([A, A + np.eye(2, 3)], 1.0), "In [0][1]: at [0, 0] 1 instead of 2 (2 of 6 entries differ)."),
        ((1, A * 2), (1, A), "In [1]: every entry is exactly twice"),
        (A + np.array([[0, 0, 0], [0, 0, 1]]), A, "At [1, 2] 8 instead of 7 (1 of 6 entries differ)"),
        (5, 6, "5 instead of 6"),
        (1 + 1e-6, 1.0, "1.000001 instead of 1."),
        (np.array([True, False]), np.array([True, True]), "At [1] False instead of True (1 of 2 entries differ)"),
        ([[1], [2, 3]], np.zeros((2, 2)), "different lengths"),
        ("abd", "abc", "place 2: 'd' instead of 'c'"),
        ([1, 2], [1, 2, 3], "2 entries instead of 3; the first 2 are right"),
        ([3, 2, 1], [1, 2, 3], "opposite order"),
        ([1, 9, 3], (1, 2, 3), "place 1: 9 instead of 2"),
        ({"a": 1}, {"a": 2, "b": 3}, "The entry 'b' is missing (2 entries in all)."),
        ({"a": 1, "b": 2}, {"a": 2, "b": 2}, "The entry 'a' differs."),
        ({"a": 1, "b": 2}, {"a": 1}, "The entry 'b' should not be there."),
        ("x", [1], "type str instead of list"),
        (True, False, "Another value"),
    ],
)  # fmt: skip
def test_what_differs_is_said_and_no_cause_is_guessed(got, expected, words):
    assert not same(got, expected)
    said = difference(got, expected, 1e-7, 1e-9)
    assert words in said and "?" not in said


@given(
    arrays(np.float64, array_shapes(max_dims=2, max_side=3), elements=st.floats(-9, 9)),
    st.integers(0, 8), st.sampled_from([1e-3, 1e-6, 1e-9, 1e-12]),
)  # fmt: skip
def test_two_arrays_that_differ_never_read_alike(x, place, by):
    other = x.copy()
    other.flat[place % x.size] += by * max(1.0, abs(other.flat[place % x.size]))
    for one, two in ((x, other), ([x], [other]), ((x, 1.0), (other, 1.0)), (x.flat[0], x.flat[0] + by)):
        mine, right = summaries(one, two)
        assert mine != right


def wrong(check) -> Expectation:
    with pytest.raises(Expectation) as found:
        check()
    return found.value


def double(x):
    return x * 2, lambda g, needs: g * 2


def test_the_right_answer_passes():
    x = np.array([1.0, -2.0])
    made = call(double, x)
    made.value(2 * x)
    made.gradient(np.ones(2), np.full(2, 2.0))
    made.follows_differences()
    made.then("[0].sum()", lambda pair: pair[0].sum()).gives(-2.0)
    call(lambda: (_ for _ in ()).throw(ValueError("too short"))).raises(ValueError, "short")


def test_a_wrong_gradient_is_found_even_where_its_sum_is_right():
    def softmax(x):  # the gradient of a sum of shares is zero: with g all ones this one would pass
        y = np.exp(x) / np.exp(x).sum()
        return y, lambda g, needs: np.zeros_like(x)

    error = wrong(lambda: call(softmax, np.array([0.0, 1.0])).follows_differences())
    assert "All entries are 0" in error.differs
    assert error.called.startswith("y, vjp = softmax(np.array([0.0, 1.0])); vjp(np.array([")


def test_differences_are_taken_on_both_sides_so_that_a_bent_function_passes():
    """One-sided ones would be wrong by h f''/2, here 2e-4 of f'."""
    bent = lambda x: (np.exp(40 * x), lambda g, needs: 40 * np.exp(40 * x) * g)
    call(bent, np.array([0.1, -0.05])).follows_differences()
    with pytest.raises(Expectation):
        call(lambda x: (bent(x)[0], lambda g, needs: 40.01 * np.exp(40 * x) * g), np.array([0.1])).follows_differences()


def test_an_answer_that_is_no_pair_is_told_so():
    assert "pair" in wrong(lambda: call(abs, -1).value(1)).expected


def test_writing_into_an_argument_is_found():
    def clear(x):
        x[:] = 0
        return x

    assert "changed argument 0" in wrong(lambda: call(clear, np.ones(2)).gives(np.zeros(2))).got


def test_writing_into_g_is_found():
    def bad(x):
        def vjp(g, needs):
            g *= 2
            return g

        return 2 * x, vjp

    assert "never writes into g" in wrong(lambda: call(bad, np.ones(2)).gradient(np.ones(2), np.full(2, 2.0))).differs


def test_too_few_gradients_are_found():
    assert "one an argument" in wrong(lambda: call(double, A).gradient(A, A, A)).expected


def test_what_should_have_been_refused_is_told():
    error = wrong(lambda: call(double, 1).raises(ValueError, "positive"))
    assert "ValueError that says 'positive'" in error.expected
    assert "KeyError" in wrong(lambda: call({}.pop, "a").raises(ValueError)).got


def test_an_exception_keeps_its_cause_and_the_call():
    with pytest.raises(Raised, match=r"broken\(1\)") as found:

        def broken(x):
            raise KeyError("lost")

        call(broken, 1).gives(2)
    assert isinstance(found.value.__cause__, KeyError)


def test_summaries_are_short():
    assert summary(np.array([[np.nan]])) == "array(1, 1) [[nan]]"
    assert summary(np.zeros((50, 50), np.float32)).startswith("array(50, 50) float32 [[0. 0.")
    assert len(summary(np.zeros((50, 50)))) < 120 and len(summary("x" * 1000)) < 200
    assert summary(np.float32(0.5)) == "0.5 (float32)" and summary(1 / 3) == "0.333333"
